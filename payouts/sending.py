"""Sending bank transfers, each once, and learning what became of them."""

from datetime import datetime

from billing.inquiries import Elsewhere, Inquiry, learn

from .events import SEND_TASK
from .gateways import bank
from .gateways.base import Bank
from .models import BankAccount, BankTransfer


def ask_transfer(transfer: BankTransfer, /, *, at: datetime) -> None:
    """Look a transfer up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    asked = bank_of(transfer.account, at)
    learn(transfer, asked.look_up, asked.send, at=at)


def bank_of(account: BankAccount, at: datetime) -> Bank:
    """The gateway that keeps the account. Raises Elsewhere if the site has changed to another."""
    present = bank(at)
    if present.name != account.gateway:
        raise Elsewhere(f"{account} is kept by another payment service.")
    return present


TRANSFERS = Inquiry(BankTransfer.objects.all, SEND_TASK, ask_transfer)
send_transfers, resolve_transfer = TRANSFERS.pursue, TRANSFERS.resolve
