"""The sandbox's bank, for the demo and the tests: it knows test accounts only and moves no money.

It loses requests and answers as a network does; `accounts.py` says which account does what. It
lives in the time that it is given, so that the demo's clock moves its delays as well.
"""

from datetime import datetime
from urllib.parse import quote

from billing.gateways.base import (
    CustomerRef,
    Decline,
    Outcome,
    Refused,
    State,
    Unanswered,
    outside_transactions,
)
from billing.models.sandbox import SandboxLostRequest
from payouts.models.sandbox import SandboxBank, SandboxLink, SandboxTransfer

from .accounts import SENTENCES, Behaviour
from .base import BankDetails, Link, TransferOrder


class Sandbox:
    """The sandbox as of `at`."""

    name = "sandbox"

    def __init__(self, at: datetime) -> None:
        self.at = at

    def begin_link(self, owner: CustomerRef, return_url: str, /) -> Link:
        outside_transactions()
        link = SandboxLink.begin(owner, return_url, at=self.at)
        return Link(link.reference, f"/sandbox/links/{quote(link.reference)}/")

    def finish_link(self, reference: str, /) -> BankDetails | None:
        outside_transactions()
        link = SandboxLink.objects.select_related("account").filter(pk=reference).first()
        if link is None:
            raise Refused("The sandbox knows no such link.")
        return link.details

    def send(self, order: TransferOrder, /) -> Outcome:
        outside_transactions()
        account = SandboxBank.objects.filter(pk=order.account).first()
        if account is None:
            gone = Decline("account_gone", SENTENCES["account_gone"], is_hard=True)
            return Outcome(State.FAILED, "", gone)
        behaviour = account.test_account.behaviour
        if behaviour is Behaviour.LOSES_REQUEST and SandboxLostRequest.lose(order.key):
            raise Unanswered
        transfer, is_new = SandboxTransfer.take(order, account, at=self.at)
        if behaviour is Behaviour.LOSES_ANSWER and is_new:
            raise Unanswered
        return transfer.settle(at=self.at)

    def look_up(self, order: TransferOrder, _reference: str = "", /) -> Outcome | None:
        outside_transactions()
        transfer = SandboxTransfer.objects.filter(key=order.key).first()
        return transfer.settle(at=self.at) if transfer else None
