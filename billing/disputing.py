"""Disputes: learned from the gateway, told by a webhook or found by looking, and followed.

Nobody here orders one, so a webhook has no key of ours: the gateway says whose charge it is about.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .collecting import PAYMENTS, gateway_of
from .events import RECONCILE_TASK
from .gateways import gateway
from .gateways.base import Claim, GatewayError, Unanswered
from .inquiries import Ask, Inquiry
from .models import Dispute, Payment
from .models.oversight import report_contradiction
from .models.payments import Contradiction

# How old a dispute may be that no webhook told of: banks decide within four months.
LOOK_BACK = timedelta(days=120)

log = logging.getLogger(__name__)


def find_dispute(reference: str, at: datetime) -> tuple[Ask | None, Any]:
    """How a dispute is booked, and on which payment; None for what is none of ours.

    Raises GatewayError.
    """
    present = gateway(at)
    claim = present.look_up_dispute(reference)
    payment = _payment_of(claim) if claim else None
    if claim is None or payment is None:
        return None, None
    return partial(_book, claim, present.name), payment


def find_disputes(*, at: datetime) -> int:
    """Book the disputes that no webhook told of, at real time `at`. Returns how many were new."""
    present = gateway(at)
    try:
        claims = {claim.reference: claim for claim in present.disputes(at - LOOK_BACK)}
    except GatewayError:
        return 0  # It is asked again by and by.
    known = Dispute.objects.filter(gateway=present.name, reference__in=claims)
    new = 0
    for reference in claims.keys() - set(known.values_list("reference", flat=True)):
        if payment := _payment_of(claims[reference]):
            new += _resolve(claims[reference], present.name, payment, at)
    return new


def _resolve(claim: Claim, name: str, payment: Payment, at: datetime) -> bool:
    """Book one. True if that was possible; staff hear of contradictions."""
    own = payment.connection.own_time(at)
    try:
        _book(claim, name, payment, at=own)
    except Contradiction as contradiction:
        report_contradiction(payment, str(contradiction), at=own)
    except GatewayError:
        return False
    except Exception:
        log.exception("Dispute %s could not be booked", claim.reference)
        return False
    return True


def _payment_of(claim: Claim) -> Payment | None:
    found: Payment | None = Payment.objects.filter(pk=claim.key).first() if claim.key else None
    return found


def _book(claim: Claim, name: str, payment: Payment, /, *, at: datetime) -> None:
    """Book how it stands. A payment whose own outcome is not known yet is asked about first.

    Raises GatewayError without an answer, and Contradiction.
    """
    if not payment.is_settled:
        PAYMENTS.ask(payment, at=at)
        payment.refresh_from_db()
        if not payment.is_settled:
            raise Unanswered
    Dispute.learn(payment, claim, gateway=name, at=at)


def ask_dispute(dispute: Dispute, /, *, at: datetime) -> None:
    """Ask how a dispute stands, and book what the bank decided.

    Raises GatewayError without an answer, and Contradiction.
    """
    asked = gateway_of(dispute.payment.method, at)
    dispute.ask_again(at=at)
    if claim := asked.look_up_dispute(dispute.reference):
        _book(claim, dispute.gateway, dispute.payment, at=at)
        dispute.refresh_from_db()


DISPUTES = Inquiry(Dispute.objects.all, RECONCILE_TASK, ask_dispute)
follow_disputes, resolve_dispute = DISPUTES.pursue, DISPUTES.resolve
