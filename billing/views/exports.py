"""The lists of a connection as CSV, with the filters that the address names."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from billing.filters import InvoiceFilter, RequestFilter
from billing.models import BillingRequest, Credit, Invoice
from billing.pricing import ItemKind
from connections.access import Party, party_view
from revampd.kit.export import csv_response
from revampd.kit.money import Money

CHUNK = 500

INVOICES = (
    *("Invoice", "Status", "Type", "Issued", "Due", "Period from", "Period until", "Currency"),
    *("Total", "From the wallet", "Paid", "Corrected", "Amount due"),
)
REQUESTS = (
    *("Request", "Kind", "Name", "Quantity", "Currency", "Price", "Each", "Effective", "Status"),
    *("Proposed by", "Proposed at", "Decided by", "Decided at", "Note", "Decision note", "Seal"),
)
CREDITS = ("Issued at", "Origin", "Reason", "Issued by", "Currency", "Total", "Used", "Remaining")


@party_view
@require_GET
def export_invoices(request: HttpRequest, party: Party) -> HttpResponse:
    invoices = party.connection.invoices.newest_first()
    rows = InvoiceFilter(request.GET, queryset=invoices).qs
    return csv_response(_name("Invoices", party), INVOICES, _invoices(rows))


def _invoices(rows: Any) -> Iterator[tuple[Any, ...]]:
    fields = (
        *("number", "state", "kind", "issue_date", "due_date", "period_start", "period_end"),
        *("currency", "total", "credited", "paid", "corrected", "outstanding"),
    )
    for (
        number,
        state,
        kind,
        *dates,
        currency,
        total,
        credited,
        paid,
        corrected,
        left,
    ) in rows.values_list(*fields).iterator(chunk_size=CHUNK):
        owed = left if state in Invoice.UNSETTLED else 0
        amounts = (Money(one, currency) for one in (total, credited, paid, corrected, owed))
        state, kind = Invoice.State(state).label, Invoice.Kind(kind).label
        yield (Invoice.code_of(number), state, kind, *dates, currency, *amounts)


@party_view
@require_GET
def export_requests(request: HttpRequest, party: Party) -> HttpResponse:
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
def export_wallet(_request: HttpRequest, party: Party) -> HttpResponse:
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
