"""What needs somebody of the staff today: the start page of the admin, counted in one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Min, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse

from billing.models import BooksCheck
from revampd.kit.admin import Waiting


@dataclass(frozen=True)
class Item:
    """So many rows, the oldest since when, and the list of them."""

    label: str
    number: int
    oldest: datetime | None
    url: str

    @property
    def is_fine(self) -> bool:
        return not self.number


def needs_attention(request: HttpRequest) -> list[Item]:
    """Everything that this person may see, what waits first; one query, however much there is."""
    found = [
        (waiting, pages.model._default_manager.all(), f"{_list_of(pages)}?waiting={name}")
        for pages in admin.site._registry.values()
        if pages.has_view_permission(request)
        for name, waiting in getattr(pages, "waiting", {}).items()
    ]
    if request.user.has_perm("billing.view_bookscheck"):
        url = reverse("admin:billing_bookscheck_changelist")
        found.append((DIFFERENCES, BooksCheck.objects.all(), f"{url}?result=differs"))
    if not found:
        return []
    queries = [_counted(index, waiting, rows) for index, (waiting, rows, _) in enumerate(found)]
    counts = {index: (number, oldest) for index, number, oldest in _union(queries)}
    items = [
        Item(waiting.label, *counts.get(index, (0, None)), url)
        for index, (waiting, _, url) in enumerate(found)
    ]
    return sorted(items, key=lambda item: item.is_fine)


def _last_differs(checks: QuerySet[Any]) -> QuerySet[Any]:
    """The last check of the books, if it found something."""
    last = checks.order_by("-checked_at").values("pk")[:1]
    return checks.filter(pk__in=last).exclude(differences=[])


DIFFERENCES = Waiting("Differences in the books, at the last check", "checked_at", _last_differs)


def _counted(index: int, waiting: Waiting, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    grouped = waiting.rows(rows).order_by().annotate(place=Value(index)).values("place")
    return grouped.annotate(number=Count("pk"), oldest=Min(waiting.since)).values_list(
        "place", "number", "oldest"
    )


def _union(queries: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    first, *others = queries
    return first.union(*others, all=True) if others else first


def _list_of(pages: Any) -> str:
    return reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_changelist")
