"""Sending refunds, each once, and learning what became of them."""

from datetime import datetime

from .collecting import gateway_of
from .events import REFUND_TASK
from .gateways.base import Disputed, Gateway, Outcome, RefundOrder, State
from .inquiries import Inquiry, learn, refused
from .models import Refund


def ask_refund(refund: Refund, /, *, at: datetime) -> None:
    """Look a refund up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, Disputed if it waits for a bank, and Contradiction.
    """
    asked = gateway_of(refund.payment.method, at)
    learn(refund, asked.look_up_refund, lambda order: _send(refund, order, asked), at=at)


def _send(refund: Refund, order: RefundOrder, asked: Gateway) -> Outcome:
    """Send it, unless a bank claims the payment back, or has taken what the refund owes."""
    disputes = list(refund.payment.disputes.all())
    if any(dispute.is_open for dispute in disputes):
        refund.put_off()
        raise Disputed(f"The {refund} waits until the bank has decided.")
    if taken := next((one for one in disputes if one.covers(refund.amount)), None):
        return Outcome(State.SUCCEEDED, taken.reference)
    try:
        return asked.refund(order)
    except Disputed as refusal:
        if not disputes:
            raise  # A dispute that we have not heard of yet.
        return refused(refusal.sentence)


REFUNDS = Inquiry(Refund.objects.all, REFUND_TASK, ask_refund)
settle_refunds, resolve_refund = REFUNDS.pursue, REFUNDS.resolve
