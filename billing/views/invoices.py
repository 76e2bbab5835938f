"""Invoices of a connection, seen from both sides: the list, and one with its reasons."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing.filters import InvoiceFilter
from billing.models import Invoice, InvoiceLine
from connections.access import Party, party_view
from connections.models import Event
from connections.timeline import timeline
from revampd.kit.htmx import page
from revampd.kit.money import Money

PAGE_LENGTH = 25
OWED = Q(state__in=[Invoice.State.OPEN, Invoice.State.PAST_DUE])


@party_view
@require_GET
def invoice_list(request: HttpRequest, party: Party) -> HttpResponse:
    invoices = party.connection.invoices.newest_first()
    shown = InvoiceFilter(request.GET, queryset=invoices)
    others = {key: request.GET.get(key, "") for key in ("type", "year")}
    of_kind = InvoiceFilter(others, queryset=invoices).qs
    counts = dict(of_kind.order_by().values_list("state").annotate(Count("id")))
    years = [day.year for day in party.connection.invoices.dates("issue_date", "year", "DESC")]
    context = {
        "rows": Paginator(shown.qs, PAGE_LENGTH).get_page(request.GET.get("page")),
        "sums": _sums(party, shown.qs),
        "states": [(s.value, s.label, counts.get(s.value, 0)) for s in Invoice.State],
        "kinds": Invoice.Kind.choices,
        "years": [str(year) for year in years],
        "total": sum(counts.values()),
        "chosen": shown.form.cleaned_data,
    }
    return page(request, "billing/invoices/list.html", context)


def _sums(party: Party, invoices: Any) -> dict[str, Money]:
    """What the invoices of the list come to, and what of it is still owed."""
    valid = ~Q(state=Invoice.State.VOID)
    sums = invoices.order_by().aggregate(
        billed=Sum("total", filter=valid, default=0), owed=Sum("total", filter=OWED, default=0)
    )
    return {name: Money(minor, party.connection.currency) for name, minor in sums.items()}


@party_view
@require_GET
def invoice_detail(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    invoice = get_object_or_404(party.connection.invoices, number=number)
    lines = invoice.lines.select_related("request__proposed_by", "request__decided_by")
    context = {
        "invoice": invoice,
        "lines": [(line, reasons(line)) for line in lines.order_by("position")],
        "timeline": timeline(Event.objects.about(invoice).select_related("actor").newest_first()),
    }
    return page(request, "billing/invoices/detail.html", context)


def reasons(line: InvoiceLine) -> list[dict[str, Any]]:
    """Why this charge: from the line to the person who said yes, as _chain.html takes it."""
    asked = line.request
    url = reverse("billing:request", args=[asked.connection_id, asked.pk])
    return [
        {
            "icon": "invoice",
            "kind": "Line",
            "title": line.description,
            "amount": line.amount_money,
        },
        {
            "icon": "request",
            "kind": "Request",
            "title": f"{asked.item_name}, {asked.price_in_words}",
            "url": url,
            "detail": f"{asked.proposed_by}, {asked.proposer}",
            "at": asked.proposed_at,
            "note": asked.note,
        },
        {
            "icon": "lock",
            "kind": "Sealed terms",
            "title": asked.seal,
            "url": f"{url}#seal",
            "detail": "The SHA-256 of what was promised",
        },
        {
            "icon": "check",
            "tone": "good",
            "kind": "Approval",
            "title": f"Approved by {asked.decided_by}, {asked.terms['customer']}",
            "at": asked.decided_at,
            "note": asked.decision_note,
        },
    ]
