"""The sandbox's bank, for the demo and the tests: it knows test accounts only and moves no money.

It loses requests and answers as a network does; `accounts.py` says which account does what. It
lives in the time that it is given, so that the demo's clock moves its delays as well.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from django.utils.crypto import salted_hmac

from billing.gateways import signing
from billing.gateways.base import (
    BadSignature,
    CustomerRef,
    Notice,
    Outcome,
    Refused,
    State,
    Subject,
    Unanswered,
    outside_transactions,
)
from billing.models.sandbox import SandboxLostRequest
from payouts.models.sandbox import SandboxBank, SandboxLink, SandboxTransfer

from .accounts import Behaviour
from .base import BankDetails, Link, TransferOrder
from .failures import GONE, failure


class Sandbox:
    """The sandbox as of `at`."""

    name = "sandbox"

    def __init__(self, at: datetime) -> None:
        self.at = at

    def begin_link(self, owner: CustomerRef, return_url: str, _again_url: str = "", /) -> Link:
        outside_transactions()
        link = SandboxLink.begin(owner, return_url, at=self.at)
        return Link(link.reference, f"/sandbox/links/{quote(link.reference)}/")

    def finish_link(self, reference: str, /) -> BankDetails | None:
        outside_transactions()
        link = SandboxLink.objects.select_related("account").filter(pk=reference).first()
        if link is None:
            raise Refused("The sandbox knows no such link.")
        return link.details

    def details(self, account: str, /) -> BankDetails | None:
        outside_transactions()
        link = SandboxLink.objects.select_related("account").filter(account=account).first()
        return link.details if link else None

    def send(self, order: TransferOrder, /) -> Outcome:
        outside_transactions()
        account = SandboxBank.objects.filter(pk=order.account).first()
        if account is None:
            return Outcome(State.FAILED, "", failure(GONE))
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

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        signing.verify(body, headers.get(signing.HEADER, ""), _secret(), at=at)
        try:
            event = json.loads(body)
            return Notice(
                event_id=event["id"],
                type=event["type"],
                subject=Subject.OTHER,
                reference=event["reference"],
                key=UUID(event["key"]),
                at=datetime.fromisoformat(event["created"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature("signed, but nothing that the sandbox sends") from error


class Webhook(NamedTuple):
    """A request as it arrives: the bytes of its body, and its headers."""

    body: bytes
    headers: dict[str, str]


def webhook_of(transfer: SandboxTransfer, at: datetime) -> Webhook:
    """That a transfer has come to its end, or back: the same webhook however often it is sent."""
    what = "returned" if transfer.state == State.SUCCEEDED else "ended"
    event = {
        "id": f"evt_{transfer.reference}_{what}",
        "type": f"transfer.{what}",
        "created": at.isoformat(),
        "reference": transfer.reference,
        "key": str(transfer.key),
    }
    body = json.dumps(event).encode()
    return Webhook(body, {signing.HEADER: signing.sign(body, _secret(), at)})


def _secret() -> str:
    return salted_hmac("payouts.gateways.sandbox", "webhooks", algorithm="sha256").hexdigest()
