"""How requests, invoices and payments stand, in a word and a colour."""

from django import template
from django.utils.safestring import SafeString

from billing.models import BillingRequest, Dispute, Invoice, Payment
from billing.pricing import ItemKind
from billing.statement import usage_in_words
from billing.terms import Terms
from revampd.templatetags.ui import state_badge

register = template.Library()

REQUEST_TONES = {
    BillingRequest.State.PENDING: "warn",
    BillingRequest.State.APPROVED: "good",
    BillingRequest.State.REJECTED: "bad",
}
INVOICE_TONES = {
    Invoice.State.OPEN: "warn",
    Invoice.State.PAID: "good",
    Invoice.State.PAST_DUE: "bad",
}
PAYMENT_TONES = {
    Payment.State.SUCCEEDED: "good",
    Payment.State.FAILED: "bad",
    Payment.State.ACTION: "warn",
}
DISPUTE_TONES = {Dispute.State.OPEN: "warn", Dispute.State.LOST: "bad"}
ICONS = {ItemKind.PLAN: "plan", ItemKind.ADD_ON: "add-on", ItemKind.ONE_TIME: "receipt"}


@register.simple_tag
def request_state(request: BillingRequest) -> SafeString:
    """The badge of a request."""
    state = BillingRequest.State(request.state)
    return state_badge(str(state.label), REQUEST_TONES.get(state, "plain"))


@register.simple_tag
def invoice_state(invoice: Invoice) -> SafeString:
    """The badge of an invoice; one that credit notes took back whole was not paid."""
    state = Invoice.State(invoice.state)
    if state == Invoice.State.PAID and invoice.is_credited:
        return state_badge("Credited")
    tone = "warn" if invoice.disputed else INVOICE_TONES.get(state, "plain")
    return state_badge(invoice.standing, tone)


@register.simple_tag
def payment_state(payment: Payment) -> SafeString:
    """The badge of a payment; `returned` is the dispute that took something of it back."""
    if dispute := getattr(payment, "returned", None):
        return state_badge(dispute.get_state_display(), DISPUTE_TONES[dispute.state])
    state = Payment.State(payment.state)
    return state_badge(str(state.label), PAYMENT_TONES.get(state, "info"))


@register.filter
def kind_icon(kind: str) -> str:
    """The drawing of a plan, an add-on or a one-time charge."""
    return ICONS[ItemKind(kind)]


@register.filter
def usage(terms: Terms) -> str:
    """The usage fees that the terms name, in words."""
    return usage_in_words(terms)
