"""The search of the admin: anything by its id, its number, an e-mail address or a name."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import models
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

# What is found by words and numbers, in this order, and so many of each. All else has an id.
NAMED = (
    *("connections.organization", "connections.user", "connections.connection"),
    *("billing.invoice", "billing.creditnote", "billing.billingrequest", "billing.payment"),
    *("tickets.ticket", "payouts.payout", "payouts.banktransfer"),
    *("connections.invitation", "notifications.delivery"),
)
SHOWN = 6
LENGTH = 100


@dataclass(frozen=True)
class Hits:
    """Rows of one kind, and the list of all that match."""

    label: str
    rows: list[tuple[str, str]]  # what it is called, and its page
    more: str


def find(request: HttpRequest) -> HttpResponse:
    """What this person may see of what they look for."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LENGTH]
    found = (_by_id(request, text) or _by_words(request, text)) if text else []
    context = admin.site.each_context(request) | {"title": "Search", "text": text, "found": found}
    return TemplateResponse(request, "admin/find.html", context)


def _by_id(request: HttpRequest, text: str) -> list[Hits]:
    """Whatever has this id: one query over all tables, one more for each that has it."""
    try:
        key = UUID(text)
    except ValueError:
        return []
    pages = [own for own in _seen(request) if isinstance(own.opts.pk, models.UUIDField)]
    queries = [
        own.model._default_manager.filter(pk=key)
        .order_by()
        .annotate(found_in=Value(index))
        .values_list("found_in", flat=True)
        for index, own in enumerate(pages)
    ]
    if not queries:
        return []
    hits = queries[0].union(*queries[1:], all=True)
    return [_hits(pages[index], _rows(pages[index], request).filter(pk=key)) for index in hits]


def _by_words(request: HttpRequest, text: str) -> list[Hits]:
    """One query a kind, each as on the page of its list."""
    found = []
    number = text.rpartition("-")[2].lstrip("0")
    for own in _seen(request):
        if own.opts.label_lower not in NAMED:
            continue
        # People read the number of an invoice with the letters of its provider before it.
        is_numbered = number.isdecimal() and "=number" in own.search_fields
        typed = number if is_numbered else text
        rows, _ = own.get_search_results(request, _rows(own, request), typed)
        if (hits := _hits(own, rows, typed)).rows:
            found.append((NAMED.index(own.opts.label_lower), hits))
    return [hits for _, hits in sorted(found, key=lambda one: one[0])]


def _seen(request: HttpRequest) -> list[Any]:
    pages = admin.site._registry.values()
    return [own for own in pages if own.search_fields and own.has_view_permission(request)]


def _rows(own: Any, request: HttpRequest) -> QuerySet[Any]:
    related = own.list_select_related if isinstance(own.list_select_related, tuple) else ()
    if _has_connection(own):
        related = (*related, "connection__provider", "connection__customer")
    rows: QuerySet[Any] = own.get_queryset(request)
    return rows.select_related(*related) if related else rows


def _has_connection(own: Any) -> bool:
    return any(field.name == "connection" for field in own.opts.fields)


def _name(own: Any, row: Any) -> str:
    """What a row is called, and whose it is where that does not say it."""
    own_connection = row.connection if _has_connection(own) else None
    return f"{row}, {own_connection}" if own_connection else str(row)


def _hits(own: Any, rows: QuerySet[Any], typed: str = "") -> Hits:
    stem = f"admin:{own.opts.app_label}_{own.opts.model_name}"
    pages = {row: reverse(f"{stem}_change", args=[quote(row.pk)]) for row in rows[:SHOWN]}
    shown = [(_name(own, row), page) for row, page in pages.items()]
    more = f"{reverse(f'{stem}_changelist')}?q={typed}" if len(shown) == SHOWN else ""
    return Hits(str(own.opts.verbose_name_plural), shown, more)
