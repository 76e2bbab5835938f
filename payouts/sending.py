"""Sending bank transfers, each once, and learning what became of them."""

from collections.abc import Callable
from datetime import datetime

from billing.gateways.base import Outcome, Unanswered
from billing.inquiries import Elsewhere, Inquiry, learn

from .events import SEND_TASK
from .gateways import bank
from .gateways.base import Bank, TransferOrder
from .models import BankAccount, BankTransfer

LookUp = Callable[[TransferOrder, str], Outcome | None]


def ask_transfer(transfer: BankTransfer, /, *, at: datetime) -> None:
    """Look a transfer up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    asked = bank_of(transfer.account, at)
    look_up = _come_back(asked.look_up) if transfer.is_paid else asked.look_up
    learn(transfer, look_up, asked.send, at=at)


def _come_back(look_up: LookUp) -> LookUp:
    """`look_up` for what was paid: as long as it is on its way back, there is no answer."""

    def look(order: TransferOrder, reference: str, /) -> Outcome | None:
        outcome = look_up(order, reference)
        if outcome and not outcome.is_final:
            raise Unanswered
        return outcome

    return look


def bank_of(account: BankAccount, at: datetime) -> Bank:
    """The gateway that keeps the account. Raises Elsewhere if the site has changed to another."""
    present = bank(at)
    if present.name != account.gateway:
        raise Elsewhere(f"{account} is kept by another payment service.")
    return present


TRANSFERS = Inquiry(BankTransfer.objects.all, SEND_TASK, ask_transfer)
send_transfers, resolve_transfer = TRANSFERS.pursue, TRANSFERS.resolve
