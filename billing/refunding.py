"""Sending refunds, each once, and learning what became of them."""

from datetime import datetime

from .collecting import gateway_of
from .events import REFUND_TASK
from .inquiries import Inquiry, learn
from .models import Refund


def ask_refund(refund: Refund, /, *, at: datetime) -> None:
    """Look a refund up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    asked = gateway_of(refund.payment.method, at)
    learn(refund, asked.look_up_refund, asked.refund, at=at)


REFUNDS = Inquiry(Refund.objects.all, REFUND_TASK, ask_refund)
settle_refunds, resolve_refund = REFUNDS.pursue, REFUNDS.resolve
