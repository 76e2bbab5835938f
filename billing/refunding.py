"""Sending refunds, each once, and learning what became of them."""

import logging
from datetime import datetime

from django.db import transaction

from connections.clocks import own_time

from .collecting import LONG_PATIENCE, PATIENCE, gateway_of, refused
from .events import REFUND_TASK
from .gateways.base import GatewayError, KeyReused, Outcome, Refused
from .models import Refund
from .models.oversight import report_contradiction
from .models.payments import Contradiction
from .turns import turn

log = logging.getLogger(__name__)


def settle_refunds(*, at: datetime) -> int:
    """Send every refund that is owed at real time `at`, and ask about those without an answer.

    Returns how many were settled.
    """
    settled = 0
    for _ in turn(REFUND_TASK):
        refund = _next_silent(at)
        if refund is None:
            break
        settled += resolve_refund(refund, at=refund.connection.own_time(at))
    return settled


@transaction.atomic
def _next_silent(at: datetime) -> Refund | None:
    unknown, known = (own_time("connection", at - wait) for wait in (PATIENCE, LONG_PATIENCE))
    refund: Refund | None = Refund.objects.silent(unknown=unknown, known=known).claim()
    if refund:
        refund.ask_again(at=refund.connection.own_time(at))
    return refund


def resolve_refund(refund: Refund, *, at: datetime) -> bool:
    """Send a refund, or learn what became of it. True if it is settled now."""
    try:
        ask_refund(refund, at=at)
    except GatewayError:
        return False
    except Contradiction as contradiction:
        report_contradiction(refund, str(contradiction), at=at)
    except Exception:
        log.exception("What became of refund %s could not be booked", refund.pk)
    return refund.is_settled


def ask_refund(refund: Refund, *, at: datetime) -> None:
    """Look a refund up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    refund.ask_again(at=at)
    asked = gateway_of(refund.payment.method, at)
    outcome = asked.look_up_refund(refund.order, refund.reference)
    if outcome is None:
        refund.refresh_from_db()
        if refund.is_settled:
            return
        outcome = _send(refund, at)
    refund.settle(outcome, at=at)


def _send(refund: Refund, at: datetime) -> Outcome:
    try:
        return gateway_of(refund.payment.method, at).refund(refund.order)
    except KeyReused as surprise:
        raise Contradiction(f"The {refund} was sent as something else before.") from surprise
    except Refused as refusal:
        log.error("Refund %s was refused: %s", refund.pk, refusal)
        return refused(refusal.sentence)
