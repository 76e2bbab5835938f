"""The lists of a connection as CSV, with the filters that the address names."""

from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from billing.filters import InvoiceFilter, RequestFilter
from billing.models import BillingRequest, Credit, Payment
from billing.pricing import ItemKind
from connections.access import Party, party_view
from revampd.kit.export import csv_response

CHUNK = 500

INVOICES = (
    *("Invoice", "Status", "Type", "Period from", "Period until", "Issued", "Due", "Currency"),
    *("Total", "From the wallet", "Paid by card", "Credit notes", "Amount due", "Payment method"),
)
REQUESTS = (
    *("Request", "Kind", "Name", "Quantity", "Currency", "Price", "Each", "Effective", "Status"),
    *("Proposed by", "Proposed at", "Decided by", "Decided at", "Note", "Decision note", "Seal"),
)
CREDITS = ("Issued at", "Origin", "Reason", "Issued by", "Currency", "Total", "Used", "Remaining")


@party_view
@require_GET
def export_invoices(request: HttpRequest, party: Party) -> StreamingHttpResponse:
    invoices = party.connection.invoices.newest_first()
    shown = InvoiceFilter(request.GET, queryset=invoices).qs
    paid = Payment.objects.succeeded().filter(invoice=OuterRef("pk")).order_by("-settled_at")
    method = paid.values(label=Concat("method__brand", Value(" ending "), "method__last4"))
    rows = shown.annotate(method=Subquery(method[:1]))
    return csv_response(_name("Invoices", party), INVOICES, map(_invoice, _each(rows)))


def _invoice(row: Any) -> tuple[Any, ...]:
    period = row.period
    return (
        *(row.code, row.standing, row.get_kind_display()),
        *((period.start, period.end) if period else (None, None)),
        *(row.issue_date, row.due_date, row.currency, row.total_money, row.credited_money),
        *(row.paid_money, row.corrected_money, row.amount_due, row.method),
    )


@party_view
@require_GET
def export_requests(request: HttpRequest, party: Party) -> StreamingHttpResponse:
    requests = party.connection.billing_requests.newest_first()
    rows = RequestFilter(request.GET, queryset=requests).qs
    people = rows.select_related("proposed_by", "decided_by")
    return csv_response(_name("Requests", party), REQUESTS, map(_request, _each(people)))


def _request(row: BillingRequest) -> tuple[Any, ...]:
    return (
        row.reference,
        ItemKind(row.kind).label,
        row.item_name,
        row.quantity,
        row.currency,
        row.price,
        row.offer.interval.label if row.terms["interval"] else "once",
        row.effective_in_words,
        row.get_state_display(),
        row.proposed_by,
        row.proposed_at,
        row.decided_by,
        row.decided_at,
        row.note,
        row.decision_note,
        row.seal,
    )


@party_view
@require_GET
def export_wallet(_request: HttpRequest, party: Party) -> StreamingHttpResponse:
    lots = party.connection.credits.newest_first().select_related("issued_by")
    return csv_response(_name("Wallet", party), CREDITS, map(_credit, _each(lots)))


def _credit(row: Credit) -> tuple[Any, ...]:
    return (
        row.issued_at,
        row.get_origin_display(),
        row.reason,
        row.issued_by or "Revampd",
        row.currency,
        row.total,
        row.used,
        row.remaining,
    )


def _each(rows: Any) -> Iterator[Any]:
    return iter(rows.iterator(chunk_size=CHUNK))


def _name(what: str, party: Party) -> str:
    return f"{what} {party.connection.provider} {party.connection.customer}"
