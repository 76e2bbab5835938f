"""Killing what collects payments: nobody is charged twice, and nothing taken stays unbooked."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction
from django.utils import timezone

from billing.events import COLLECT_TASK
from billing.gateways.base import State
from billing.models import Invoice, Payment, SandboxCharge
from revampd.kit.doorbell import ring_on_commit
from tests.billing.acts import agree
from tests.billing.payments.acts import add_card, assert_books_agree
from tests.cast import Cast

from .servers import Worker, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


def owe(cast: Cast, count: int) -> None:
    """Bluebird owes Northwind `count` invoices of $400.00, from now on."""
    for _ in range(count):
        agree(cast, cast.setup, at=timezone.now())


@contextmanager
def nothing_can_be_booked() -> Iterator[None]:
    """Keeps every worker waiting in the transaction that books a payment, after the gateway took
    the money; the one that begins it is not held up.
    """
    owner = connections["owner"]
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute("LOCK TABLE billing_transfer IN SHARE ROW EXCLUSIVE MODE")
        yield
    owner.close()


def somebody_waits_to_book() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'billing_transfer'::regclass"
        )
        return cursor.fetchone() is not None


def everything_is_paid() -> bool:
    return not Invoice.objects.owed().exists()


def taken() -> int:
    return SandboxCharge.objects.filter(state=State.SUCCEEDED).count()


class TestKilledWorker:
    @pytest.mark.parametrize("attempt", range(3))
    def test_between_the_charge_and_its_booking_books_it_once(
        self, committed_cast, worker: Worker, attempt
    ):
        add_card(committed_cast.northwind_bluebird, committed_cast.ben, at=timezone.now())
        owe(committed_cast, 1)

        with nothing_can_be_booked():
            worker.start()
            eventually(somebody_waits_to_book)
            worker.kill()
        eventually(lambda: not somebody_waits_to_book())

        assert taken() == 1
        assert Payment.objects.get().state == Payment.State.INTENT
        worker.start()
        eventually(everything_is_paid, 60)
        assert SandboxCharge.objects.count() == Payment.objects.count() == 1
        assert_books_agree()

    def test_charges_every_invoice_once_whenever_it_is_killed(self, committed_cast, worker: Worker):
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        count = 60
        add_card(committed_cast.northwind_bluebird, committed_cast.ben, at=timezone.now())
        owe(committed_cast, count)
        left = []

        for _ in range(5):
            before = taken()
            worker.start()
            ring_on_commit(COLLECT_TASK)
            eventually(lambda: taken() > before)  # noqa: B023 - called at once
            time.sleep(moments.uniform(0, 0.15))
            worker.kill()
            left.append(Payment.objects.unsettled().count())
        worker.start()
        ring_on_commit(COLLECT_TASK)
        eventually(everything_is_paid, 90)

        print(f"seed {seed}: {left} payments were open after the kills")  # noqa: T201
        assert SandboxCharge.objects.count() == Payment.objects.count() == count
        assert_books_agree()
