"""Sending bank transfers, each once, and learning what became of them.

Commit, ask, commit, as with payments: whatever dies in between leaves a transfer that is looked up,
or sent again under the same key.
"""

import logging
from datetime import datetime

from django.db import transaction

from billing.collecting import LONG_PATIENCE, PATIENCE, Elsewhere, refused
from billing.gateways.base import GatewayError, KeyReused, Outcome, Refused
from billing.models.payments import Contradiction
from billing.turns import turn
from connections.clocks import own_time

from .events import SEND_TASK
from .gateways import bank
from .gateways.base import Bank
from .models import BankTransfer

log = logging.getLogger(__name__)


def send_transfers(*, at: datetime) -> int:
    """Send what is owed to banks at real time `at`, and ask about what is on its way.

    Returns how many have come to their end.
    """
    settled = 0
    for _ in turn(SEND_TASK):
        transfer = _next_silent(at)
        if transfer is None:
            break
        settled += resolve_transfer(transfer, at=transfer.connection.own_time(at))
    return settled


@transaction.atomic
def _next_silent(at: datetime) -> BankTransfer | None:
    unknown, known = (own_time("connection", at - wait) for wait in (PATIENCE, LONG_PATIENCE))
    transfer: BankTransfer | None = BankTransfer.objects.silent(
        unknown=unknown, known=known
    ).claim()
    if transfer:
        transfer.ask_again(at=transfer.connection.own_time(at))
    return transfer


def resolve_transfer(transfer: BankTransfer, *, at: datetime) -> bool:
    """Send a transfer, or learn what became of it. True if it has come to its end."""
    try:
        ask_transfer(transfer, at=at)
    except GatewayError:
        return False
    except Contradiction as contradiction:
        transfer.report(str(contradiction), at=at)
    except Exception:
        log.exception("What became of bank transfer %s could not be booked", transfer.pk)
    return transfer.is_settled


def ask_transfer(transfer: BankTransfer, *, at: datetime) -> None:
    """Look a transfer up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    transfer.ask_again(at=at)
    asked = _bank_of(transfer, at)
    outcome = asked.look_up(transfer.order, transfer.reference)
    if outcome is None:
        transfer.refresh_from_db()
        if transfer.is_settled:
            return
        outcome = _send(transfer, asked)
    transfer.settle(outcome, at=at)


def _send(transfer: BankTransfer, asked: Bank) -> Outcome:
    try:
        return asked.send(transfer.order)
    except KeyReused as surprise:
        raise Contradiction(f"The transfer of {transfer} was sent as something else.") from surprise
    except Refused as refusal:
        log.error("Bank transfer %s was refused: %s", transfer.pk, refusal)
        return refused(refusal.sentence)


def _bank_of(transfer: BankTransfer, at: datetime) -> Bank:
    """The gateway that keeps the account. Raises Elsewhere if the site has changed to another."""
    present = bank(at)
    if present.name != transfer.account.gateway:
        raise Elsewhere(f"{transfer.account} is kept by another payment service.")
    return present
