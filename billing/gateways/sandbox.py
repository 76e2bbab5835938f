"""Our own gateway, for the demo and the tests: it knows test cards only and takes no real money.

It behaves as a real one does over a network that loses requests and answers and delivers webhooks
late, twice and in the wrong order; `cards.py` says which card does what. It lives in the time that
it is given, so that the demo's clock moves its delays as well.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from django.utils.crypto import salted_hmac

from billing.models.sandbox import (
    DISPUTED_AFTER,
    SandboxCharge,
    SandboxDispute,
    SandboxLostRequest,
    SandboxMethod,
    SandboxRefund,
    SandboxSetup,
    SandboxWebhook,
)

from . import signing
from .base import (
    BadSignature,
    ChargeOrder,
    Claim,
    CustomerRef,
    MethodDetails,
    Notice,
    Outcome,
    RefundOrder,
    Refused,
    Setup,
    State,
    Subject,
    Unanswered,
    outside_transactions,
)
from .cards import Behaviour
from .declines import decline

SUBJECTS = {
    "charge": Subject.CHARGE,
    "refund": Subject.REFUND,
    "setup": Subject.SETUP,
    "dispute": Subject.DISPUTE,
}


class Sandbox:
    """The sandbox as of `at`."""

    name = "sandbox"

    def __init__(self, at: datetime) -> None:
        self.at = at

    def begin_setup(self, customer: CustomerRef, return_url: str, /) -> Setup:
        outside_transactions()
        setup = SandboxSetup.begin(customer, return_url, at=self.at)
        url = f"/sandbox/setups/{quote(setup.reference)}/"
        return Setup(setup.reference, url, setup.customer)

    def finish_setup(self, reference: str, /) -> MethodDetails | None:
        outside_transactions()
        return _setup(reference).details

    def detach(self, method: str, /) -> None:
        outside_transactions()
        for stored in SandboxMethod.objects.filter(pk=method):
            stored.detach(at=self.at)

    def charge(self, order: ChargeOrder, /) -> Outcome:
        outside_transactions()
        method = SandboxMethod.objects.filter(pk=order.method, customer=order.customer).first()
        if method is None:
            return Outcome(State.FAILED, "", decline("method_gone"))
        behaviour = method.test_card.behaviour
        if behaviour is Behaviour.LOSES_REQUEST and SandboxLostRequest.lose(order.key):
            raise Unanswered
        charge, is_new = SandboxCharge.take(order, method, at=self.at)
        if behaviour is Behaviour.DISPUTES and is_new and charge.state == State.SUCCEEDED:
            SandboxDispute.begin(charge, at=self.at + DISPUTED_AFTER)
        if behaviour is Behaviour.LOSES_ANSWER and is_new:
            raise Unanswered
        return charge.settle(at=self.at)

    def look_up(self, order: ChargeOrder, _reference: str = "", /) -> Outcome | None:
        outside_transactions()
        charge = SandboxCharge.objects.filter(key=order.key).first()
        return charge.settle(at=self.at) if charge else None

    def authorization_url(self, reference: str, return_url: str, /) -> str:
        outside_transactions()
        if _charge(reference).send_to_page(return_url):
            return f"/sandbox/confirmations/{quote(reference)}/"
        return return_url

    def cancel(self, reference: str, /) -> Outcome:
        outside_transactions()
        charge = _charge(reference)
        charge.cancel(at=self.at)
        return charge.settle(at=self.at)

    def refund(self, order: RefundOrder, /) -> Outcome:
        outside_transactions()
        return SandboxRefund.give(order, at=self.at).settle(at=self.at)

    def look_up_refund(self, order: RefundOrder, _reference: str = "", /) -> Outcome | None:
        outside_transactions()
        refund = SandboxRefund.objects.filter(key=order.key).first()
        return refund.settle(at=self.at) if refund else None

    def look_up_dispute(self, reference: str, /) -> Claim | None:
        outside_transactions()
        found = SandboxDispute.objects.select_related("charge").filter(pk=reference).first()
        if found is None:
            raise Refused("The sandbox knows no such dispute.")
        claim: Claim = found.claim
        return claim

    def disputes(self, since: datetime, /) -> list[Claim]:
        outside_transactions()
        rows = SandboxDispute.objects.begun(self.at).filter(begun_at__gte=since)
        return [row.claim for row in rows.select_related("charge")]

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        signing.verify(body, headers.get(signing.HEADER, ""), _secret(), at=at)
        try:
            event = json.loads(body)
            return Notice(
                event_id=event["id"],
                type=event["type"],
                subject=SUBJECTS.get(event["type"].partition(".")[0], Subject.OTHER),
                reference=event["object"]["reference"],
                key=UUID(key) if (key := event["object"]["key"]) else None,
                at=datetime.fromisoformat(event["created"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature("signed, but nothing that the sandbox sends") from error

    # What its pages do

    def complete_setup(
        self, reference: str, *, number: str, exp_month: str, exp_year: str, cvc: str
    ) -> str:
        """Add the card that was typed; returns where the customer goes from here.

        Raises ValidationError with a sentence for each field that is wrong.
        """
        setup = _setup(reference)
        setup.complete(number=number, exp_month=exp_month, exp_year=exp_year, cvc=cvc, at=self.at)
        return setup.return_url

    def authorize(self, reference: str, *, succeed: bool) -> str:
        """The customer confirms a charge, or refuses to; returns where they go from here."""
        charge = _charge(reference)
        charge.confirm(succeed=succeed, at=self.at)
        return charge.return_url


class Webhook(NamedTuple):
    """A request as it arrives: the bytes of its body, and its headers."""

    body: bytes
    headers: dict[str, str]


def due_webhooks(at: datetime, *, customer: str | None = None) -> Iterator[Webhook]:
    """What is to be delivered at `at`, oldest first: of one customer, or of all.

    Each stays due until the next one is asked for: who dies over one is handed it again.
    """
    rows = SandboxWebhook.objects.due(at)
    if customer is not None:
        rows = rows.filter(customer=customer)
    for row in rows:
        body = row.body.encode()
        yield Webhook(body, {signing.HEADER: signing.sign(body, _secret(), at)})
        row.mark_delivered(at=at)


def _secret() -> str:
    return salted_hmac("billing.gateways.sandbox", "webhooks", algorithm="sha256").hexdigest()


def _setup(reference: str) -> SandboxSetup:
    setup = SandboxSetup.objects.select_related("method").filter(pk=reference).first()
    if setup is None:
        raise Refused("The sandbox knows no such setup.")
    return setup


def _charge(reference: str) -> SandboxCharge:
    charge = SandboxCharge.objects.select_related("method").filter(pk=reference).first()
    if charge is None:
        raise Refused("The sandbox knows no such charge.")
    return charge
