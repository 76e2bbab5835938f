"""The gateway table: whatever the network, a crash, a webhook and an impatient person do together.

Each case is one combination. Afterwards the gateway's own books and ours must be the same: nothing
taken twice, nothing taken that is not booked, nothing booked that was not taken, nothing open.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection as database
from django.db import transaction

from billing import collecting
from billing.collecting import collect_due, pay
from billing.gateways.base import ChargeOrder, Outcome
from billing.gateways.sandbox import Sandbox, Webhook, due_webhooks
from billing.models import Invoice, Payment
from billing.models.payments import NothingOwed, PaymentUnderWay
from billing.webhooks import receive, work_off
from tests.billing.acts import NOW, agree, issued
from tests.cast import Cast, assemble

from .acts import add_card, assert_books_agree, fresh, settle

OUTCOMES = {
    "ok": "visa",
    "declined": "insufficient_funds",
    "declined for good": "lost_card",
    "request lost": "request_lost",
    "answer lost": "answer_lost",
    "comes later": "delayed",
    "declined later": "delayed_decline",
    "tells in disorder": "tells_in_disorder",
}
CRASHES = ("before tx1 commits", "before the call", "before tx2", "after tx2")
WEBHOOKS = ("none", "before tx2", "after tx2", "twice", "long after, reversed")
GOOD = {"ok", "request lost", "answer lost", "comes later", "tells in disorder"}


class Crash(BaseException):
    """The process dies here."""


class Wire(Sandbox):
    """The sandbox at the end of a wire: what happens on it just before and after a charge."""

    before: Callable[[], None]
    after: Callable[[], None]

    def at_any_time(self, _at: datetime) -> "Wire":
        return self

    def charge(self, order: ChargeOrder, /) -> Outcome:
        self.before()
        try:
            return super().charge(order)
        finally:
            self.after()


def nothing() -> None:
    """What usually happens."""


def die() -> None:
    raise Crash


def bring(webhooks: list[Webhook], at: datetime) -> None:
    """These webhooks arrive, and a worker follows them."""
    for webhook in webhooks:
        receive("sandbox", webhook.body, webhook.headers, at=at)
    work_off(at=at)


@contextmanager
def rolled_back() -> Iterator[None]:
    """As a test case wraps a test: commits inside are no real ones, and undone at the end."""
    atomic = transaction.atomic()
    atomic._from_testcase = True  # type: ignore[attr-defined]
    with atomic:
        yield
        database.check_constraints()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker) -> Iterator[Cast]:
    with django_db_blocker.unblock(), rolled_back():
        cast = assemble()
        agree(cast)
        yield cast


@pytest.fixture
def invoice(world: Cast) -> Iterator[Invoice]:
    with rolled_back():
        yield issued(world)[0]


@pytest.mark.parametrize("pressed_again", [False, True], ids=["once", "pressed again"])
@pytest.mark.parametrize(
    ("outcome", "crash", "webhook"), list(product(OUTCOMES, CRASHES, WEBHOOKS)), ids="-".join
)
def test_gateway_table(world, invoice, monkeypatch, outcome, crash, webhook, pressed_again):
    card = add_card(invoice.connection, world.ben, OUTCOMES[outcome])
    wire = Wire(NOW)
    wire.before = die if crash == "before the call" else nothing
    monkeypatch.setattr(collecting, "gateway", wire.at_any_time)

    def after() -> None:
        if webhook == "before tx2":
            bring(list(due_webhooks(NOW)), NOW)
        if crash == "before tx2":
            raise Crash

    wire.after = after

    def press() -> None:
        with suppress(NothingOwed, PaymentUnderWay):
            pay(fresh(invoice), card, cause=Payment.Cause.PERSON, at=NOW, by=world.ben)

    with suppress(Crash):
        if crash == "before tx1 commits":
            with transaction.atomic():
                Payment.begin(fresh(invoice), card, cause=Payment.Cause.ISSUE, at=NOW)
                raise Crash
        collect_due(at=NOW)
        raise Crash

    # Whatever died, everybody goes on from here.
    monkeypatch.setattr(collecting, "gateway", Sandbox)
    if webhook in ("after tx2", "twice"):
        bring(list(due_webhooks(NOW)) * (2 if webhook == "twice" else 1), NOW)
    if pressed_again:
        press()
    later = NOW + timedelta(minutes=10)
    kept_back = list(due_webhooks(later)) if webhook == "long after, reversed" else []
    collect_due(at=later)
    settle(later)
    bring(kept_back[::-1], later)

    assert_books_agree()
    paid = fresh(invoice).state == Invoice.State.PAID
    assert paid == (outcome in GOOD)
    assert invoice.payments.succeeded().count() == int(paid)
