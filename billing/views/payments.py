"""Paying an invoice now: the attempt, its confirmation at the bank, and what became of it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from billing.collecting import confirmation_page, give_up, pay, resolve
from billing.forms.payments import PaymentForm
from billing.models import Invoice, Payment
from connections.access import Duty, Party, Side, party_view
from revampd.kit import clock
from revampd.kit.htmx import done

from .invoices import PANEL, find_invoice, invoice_page, shown

WORDS = {
    Payment.State.SUCCEEDED: "{total} was paid by {method}. Thank you.",
    Payment.State.FAILED: "{failure}",
    Payment.State.PROCESSING: "{method} is being charged. It can take a while; you need not wait.",
    Payment.State.ACTION: "Your bank wants you to confirm the payment.",
    Payment.State.INTENT: (
        "The payment service has not answered yet. We ask again by ourselves; nothing is charged "
        "twice."
    ),
}
LEVELS = {Payment.State.SUCCEEDED: messages.SUCCESS, Payment.State.FAILED: messages.ERROR}


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=invoice_page)
@require_POST
def pay_invoice(request: HttpRequest, party: Party, number: int) -> HttpResponse:
    invoice = find_invoice(party, number)
    form = PaymentForm(party.connection, request.POST)
    if not form.is_valid():
        return invoice_page(request, party, number, form=form)
    payment = pay(
        invoice,
        form.cleaned_data["method"],
        cause=Payment.Cause.PERSON,
        by=party.user,
        at=clock.now(),
    )
    words = _outcome(payment) if payment else (f"The wallet paid {invoice.code}.", messages.SUCCESS)
    return _answer(request, party, number, *words)


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=invoice_page)
@require_POST
def confirm_payment(
    request: HttpRequest, party: Party, number: int, payment_id: UUID
) -> HttpResponse:
    """On to the page of the gateway on which the customer confirms it, and back to the invoice."""
    payment = _find(party, number, payment_id)
    back = _url(payment.invoice)
    if payment.state != Payment.State.ACTION:
        return HttpResponseRedirect(back)
    return_url = request.build_absolute_uri(f"{back}?confirmed={payment.pk}")
    to = HttpResponseRedirect(confirmation_page(payment, return_url, at=clock.now()))
    to.status_code = 303
    return to


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=invoice_page)
@require_POST
def check_payment(
    request: HttpRequest, party: Party, number: int, payment_id: UUID
) -> HttpResponse:
    """Ask the gateway what became of it, instead of waiting until a worker does."""
    payment = _find(party, number, payment_id)
    if not payment.is_settled:
        resolve(payment, at=clock.now())
    return _answer(request, party, number, *_outcome(payment))


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=invoice_page)
@require_POST
def give_up_payment(
    request: HttpRequest, party: Party, number: int, payment_id: UUID
) -> HttpResponse:
    """Wait no longer for a confirmation, so that another card can be tried."""
    payment = _find(party, number, payment_id)
    if payment.state == Payment.State.ACTION:
        give_up(payment, at=clock.now())
    return _answer(request, party, number, *_outcome(payment))


def _outcome(payment: Payment) -> tuple[str, int]:
    """What became of it, in words, and how good that is."""
    payment.refresh_from_db()
    state = Payment.State(payment.state)
    facts = {"total": payment.total, "method": payment.method, "failure": payment.failure}
    return WORDS[state].format(**facts), LEVELS.get(state, messages.INFO)


def _answer(
    request: HttpRequest, party: Party, number: int, sentence: str, level: int
) -> HttpResponse:
    invoice = find_invoice(party, number)
    context = shown(request, invoice, party)
    return done(request, sentence, _url(invoice), fragment=PANEL, context=context, level=level)


def _find(party: Party, number: int, payment_id: UUID) -> Payment:
    invoice = find_invoice(party, number)
    rows = invoice.payments.select_related("method")
    found: Payment = get_object_or_404(rows, pk=payment_id)
    found.connection, found.invoice = party.connection, invoice
    return found


def _url(invoice: Invoice) -> str:
    return reverse("billing:invoice", args=[invoice.connection_id, invoice.number])
