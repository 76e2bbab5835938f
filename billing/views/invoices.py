"""Invoices of a connection, seen from both sides: the list, and one with its reasons."""

from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from billing.filters import InvoiceFilter
from billing.forms.payments import PaymentForm
from billing.models import Invoice, Payment, PaymentMethod, Subscription
from billing.reasons import reasons
from billing.settlement import Settlement
from billing.tally import Tally
from connections.access import Party, party_view
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import page, wants_fragment
from revampd.kit.keys import among, array_of
from revampd.kit.money import Money
from revampd.kit.narrowing import Chosen
from revampd.kit.prepared import prepared

PAGE_LENGTH = 25
PANEL = "billing/invoices/_panel.html"
PICKED = ("state", "type", "year")


# The list


@party_view
@require_GET
def invoice_list(request: HttpRequest, party: Party) -> HttpResponse:
    chosen = InvoiceFilter.chosen(request.GET, Invoice)
    picked = {name: dict(chosen).get(name, "") for name in PICKED}
    tally = Tally.of(party.connection)
    of_kind = picked | {"state": ""}
    pages: Paginator[Invoice] = Paginator(
        _invoices.part_of(party.connection.pk, chosen=chosen), PAGE_LENGTH
    )
    pages.count = tally.number(picked)
    sums = {"billed": tally.billed(picked), "owed": tally.owed(picked)}
    context = {
        "rows": _with_methods(party, pages.get_page(request.GET.get("page"))),
        "sums": {name: Money(sum_, party.connection.currency) for name, sum_ in sums.items()},
        "states": [(s.value, s.label, tally.number(of_kind | {"state": s})) for s in Invoice.State],
        "kinds": Invoice.Kind.choices,
        "years": tally.years(),
        "total": tally.number(of_kind),
        "chosen": picked,
        "upcoming_on": _upcoming_on(party),
    }
    return page(request, "billing/invoices/list.html", context)


@prepared
def _invoices(connection: Any, *, chosen: Chosen, part: tuple[int, int]) -> QuerySet[Invoice]:
    rows = Invoice.objects.filter(connection=connection).newest_first()
    return InvoiceFilter.narrow(rows, chosen)[slice(*part)]


def _with_methods(party: Party, rows: Page[Invoice]) -> Page[Invoice]:
    """The rows, each with what paid it, or what will (`payer`)."""
    own = _methods(party.connection.pk)
    methods: dict[UUID | None, PaymentMethod] = {method.pk: method for method in own}
    default = next((method for method in methods.values() if method.is_default), None)
    last = dict(_paid_by(array_of(row.pk for row in rows)))
    for row in rows:
        row.payer = payer(row, methods.get(last.get(row.pk)), default)  # type: ignore[attr-defined]
    return rows


@prepared
def _methods(connection: Any) -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.filter(connection=connection)


@prepared
def _paid_by(invoices: Any) -> QuerySet[Payment, Any]:
    """Invoices with the methods that paid them, the last one last."""
    paid = Payment.objects.succeeded().filter(among("invoice", invoices)).order_by("settled_at")
    pairs: QuerySet[Payment, Any] = paid.values_list("invoice_id", "method_id")
    return pairs


def payer(invoice: Any, paid_by: PaymentMethod | None, default: PaymentMethod | None) -> str:
    """What paid `invoice`, or will pay it, in a word or two; "" if nothing does."""
    if invoice.is_owed:
        return default.label if default else ""
    paid = [paid_by.label] if paid_by else []
    return " and ".join([*paid, *(["wallet"] if invoice.credited else [])]).capitalize()


def _upcoming_on(party: Party) -> Any:
    """The day of the next invoice, if a subscription runs."""
    return _next_invoice.first(party.connection.pk)


@prepared
def _next_invoice(connection: Any) -> QuerySet[Subscription, Any]:
    live = Subscription.objects.live().filter(connection=connection)
    days: QuerySet[Subscription, Any] = live.values_list("next_invoice_date", flat=True)
    return days


# One invoice


@party_view
@require_GET
def invoice_detail(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    return invoice_page(request, party, number)


def invoice_page(
    request: HttpRequest,
    party: Party,
    number: int,
    refusal: DomainError | None = None,
    form: PaymentForm | None = None,
    **_: Any,
) -> HttpResponse:
    """An invoice with all that belongs to it. It also answers an act that was refused."""
    context = shown(request, find_invoice(party, number), party)
    context |= {"refusal": refusal, "form": form}
    status = 422 if form else 200
    return page(request, "billing/invoices/detail.html", context, fragment=PANEL, status=status)


def find_invoice(party: Party, number: int) -> Invoice:
    if not (found := _invoice.first(party.connection.pk, number)):
        raise Http404
    found.connection = party.connection
    return found


@prepared
def _invoice(connection: Any, number: Any) -> QuerySet[Invoice]:
    return Invoice.objects.filter(connection=connection, number=number)


def shown(request: HttpRequest, invoice: Invoice, party: Party) -> dict[str, Any]:
    settlement = Settlement(invoice, party, clock.now())
    return {
        "invoice": invoice,
        "settlement": settlement,
        "lines": [(line, reasons(line)) for line in settlement.lines],
        "timeline": settlement.timeline,
        # The badge beside the heading stands outside of what htmx swaps.
        "is_fragment": wants_fragment(request),
        "returns": request.GET.get("confirmed", ""),
    }
