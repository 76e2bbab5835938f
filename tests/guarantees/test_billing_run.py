"""The billing run over a crowd: each period once whoever runs, few statements, nobody held up."""

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection as database
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from billing import cycle
from billing.cycle import bill_due
from billing.models import BillingRun, Invoice, InvoiceLine, Subscription
from connections.models import Connection
from tests.crowd import CUSTOMERS_OF_A_PROVIDER, seed
from tests.guarantees.test_races import race

DAY = date(2026, 12, 10)
AT = datetime(2026, 12, 10, 12, tzinfo=UTC)


@pytest.fixture
def crowd(committed):
    """`crowd(count)` makes so many customers, who owe from DAY on."""

    def make(count: int) -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            seed(cursor, count, DAY)

    return make


def assert_billed(customers: int, months: int) -> None:
    """Every month of every item is on one line, and no provider's numbers have a gap."""
    assert Invoice.objects.count() == customers * months
    starts = Counter(InvoiceLine.objects.values_list("item", "period_start"))
    assert set(starts.values()) == {1}
    assert len({item for item, _ in starts}) * months == len(starts)
    for provider in Connection.objects.values_list("provider", flat=True).distinct():
        own = Invoice.objects.filter(provider=provider)
        numbers = list(own.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))


class TestFourRunsAtOnce:
    @pytest.mark.parametrize("seed", range(2))
    def test_bill_every_period_once(self, crowd, monkeypatch, seed):
        monkeypatch.setattr(cycle, "CHUNK", 23)
        customers = 6 * CUSTOMERS_OF_A_PROVIDER
        crowd(customers)

        on = DAY + timedelta(days=31)
        results = race(*[lambda: bill_due(on, at=AT)] * 4, seed=seed)

        assert sum(results) == customers * 2
        assert_billed(customers, 2)
        assert bill_due(on, at=AT) == 0


class TestStatements:
    def test_are_as_many_for_a_thousand_as_for_ten(self, crowd):
        crowd(1010)
        ten = Subscription.objects.order_by("connection").values("pk")[:10]
        Subscription.objects.exclude(pk__in=ten).update(next_invoice_date=DAY + timedelta(1))

        few, many = self.statements(DAY), self.statements(DAY + timedelta(1))

        assert many == few
        assert_billed(1010, 1)

    def test_come_in_chunks(self, crowd, monkeypatch):
        crowd(60)
        monkeypatch.setattr(cycle, "CHUNK", 20)
        sizes = []

        bill_due(DAY, at=AT, progress=lambda run: sizes.append(run.done))

        assert sizes == [0, 20, 40, 60]
        run = BillingRun.objects.get()
        assert (run.connections, run.done, run.issued) == (60, 60, 60)

    @staticmethod
    def statements(on: date) -> int:
        with CaptureQueriesContext(database) as captured:
            assert bill_due(on, at=AT)
        return len(captured)


class TestHeldConnection:
    def test_is_billed_when_it_is_free_and_holds_up_no_other(self, crowd):
        crowd(20)
        held = Connection.objects.order_by("pk")[7]
        done: list[int] = []

        with self.holding(held) as release:

            def progress(run: BillingRun) -> None:
                done.append(run.done)
                if run.done:
                    release()

            assert bill_due(DAY, at=AT, progress=progress) == 20

        assert done == [0, 19, 20]
        assert_billed(20, 1)

    @staticmethod
    @contextmanager
    def holding(connection: Connection):
        """Somebody else's transaction holds the connection until it is told to let go."""
        has_it, free = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
                has_it.set()
                free.wait(30)
            connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        assert has_it.wait(30)
        yield free.set
        free.set()
        holder.join()


class TestFailingConnection:
    def test_is_found_among_a_crowd_and_mended_later(self, crowd):
        crowd(200)
        broken = Connection.objects.order_by("pk")[123]
        items = "UPDATE billing_subscriptionitem SET end_date = NULL, ending = ''"
        # More is given back than is charged: no invoice can be made of that.
        spoilt = """
            UPDATE billing_subscriptionitem
            SET billed_to = '2027-06-10', end_date = %s, ending = 'REPLACED'"""
        database.cursor().execute(f"{spoilt} WHERE connection_id = %s", [DAY, broken.pk])

        with pytest.raises(ExceptionGroup, match="1 of 200 connections not billed"):
            bill_due(DAY, at=AT)

        assert Invoice.objects.count() == 199
        run = BillingRun.objects.get()
        assert (run.done, run.issued) == (199, 199)
        assert f"while billing {broken}" in run.problem
        mended = "UPDATE billing_subscriptionitem SET billed_to = %s WHERE connection_id = %s"
        database.cursor().execute(mended, [DAY, broken.pk])
        database.cursor().execute(f"{items} WHERE connection_id = %s", [broken.pk])
        assert bill_due(DAY, at=AT) == 1
        assert_billed(200, 1)
