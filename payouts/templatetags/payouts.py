"""How payouts and bank transfers stand, in a word and a colour."""

from django import template
from django.utils.safestring import SafeString

from payouts.models import BankTransfer, Earning, Payout
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


@register.filter
def approvals(earning: Earning) -> list[tuple[str, object]]:
    """The requests behind the invoice of an earning, each once: its name and its id."""
    lines = earning.payment.invoice.lines.all()
    return list(dict.fromkeys((line.request.item_name, line.request_id) for line in lines))
