"""How payouts, bank transfers and referrals stand, in a word and a colour."""

from datetime import date

from django import template
from django.utils.safestring import SafeString

from payouts.models import (
    AffiliatePayout,
    BankTransfer,
    Earning,
    Inquiry,
    Payout,
    Referral,
)
from revampd.kit.money import Money
from revampd.templatetags.ui import state_badge

register = template.Library()

PAYOUT_TONES = {
    Payout.State.AVAILABLE: "warn",
    Payout.State.IN_TRANSIT: "info",
    Payout.State.SETTLED: "good",
}
TRANSFER_TONES = {
    BankTransfer.State.SUCCEEDED: "good",
    BankTransfer.State.FAILED: "bad",
}


@register.simple_tag
def payout_state(payout: Payout) -> SafeString:
    """The badge of a payout; one that came to nothing has nothing to carry over."""
    state = Payout.State(payout.state)
    if state == Payout.State.CARRIED and not payout.amount:
        return state_badge("Nothing to pay")
    return state_badge(str(state.label), PAYOUT_TONES.get(state, "plain"))


@register.simple_tag
def transfer_state(transfer: BankTransfer) -> SafeString:
    """The badge of a bank transfer."""
    state = BankTransfer.State(transfer.state)
    return state_badge(str(state.label), TRANSFER_TONES.get(state, "info"))


@register.simple_tag
def affiliate_state(payout: AffiliatePayout) -> SafeString:
    """The badge of an affiliate payout: how its credit stands."""
    state = AffiliatePayout.State(payout.state)
    if state == AffiliatePayout.State.CARRIED and not payout.amount:
        return state_badge("Nothing to pay")
    tones = {AffiliatePayout.State.PENDING: "warn", AffiliatePayout.State.APPLIED: "good"}
    return state_badge(str(state.label), tones.get(state, "plain"))


@register.simple_tag
def referral_state(referral: Referral, today: date) -> SafeString:
    """The badge of a referral on a day."""
    if referral.frozen_at is None:
        return state_badge("No plan yet", "info")
    if not referral.rate:
        return state_badge("Refused" if referral.refusal else "Without a share")
    return state_badge("Ended") if referral.has_ended(today) else state_badge("Earning", "good")


@register.simple_tag
def inquiry_state(inquiry: Inquiry) -> SafeString:
    """The badge of a company that asks."""
    state = Inquiry.State(inquiry.state)
    tones = {Inquiry.State.WAITING: "warn", Inquiry.State.ACCEPTED: "good"}
    return state_badge(str(state.label), tones.get(state, "plain"))


@register.filter
def money(minor: int, currency: str) -> Money:
    """An amount of minor units that a query summed up."""
    return Money(minor, currency)


@register.filter
def approvals(earning: Earning) -> list[tuple[str, object]]:
    """The requests behind the invoice of an earning, each once: its name and its id."""
    lines = earning.payment.invoice.lines.all()
    return list(dict.fromkeys((line.request.item_name, line.request_id) for line in lines))
