"""What the run issues when there is more to a period than its price."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connections

from billing.cycle import bill_due
from billing.models import (
    BillingRequest,
    BillingRun,
    Credit,
    Discrepancy,
    Invoice,
    InvoiceLine,
    Subscription,
    SubscriptionItem,
    Transfer,
    UsageRecord,
)
from billing.models.proposals import Proposal
from billing.pricing import Measure, Timing
from connections.models import Event, Outbox
from tests.billing.acts import NOW, agree, approve, day, issued, lines, noon, propose
from tests.cast import Cast, plan

RENEWAL = day("2026-12-10")


def run(on: date) -> int:
    return bill_due(on, at=noon(on.year, on.month, on.day))


def credit(cast: Cast, minor: int, at: datetime = NOW) -> None:
    Credit.adjust(cast.northwind_bluebird, minor, reason="Welcome", by=cast.noah, at=at)


class TestCredits:
    def test_that_cover_all_leave_nothing_to_collect(self, cast):
        agree(cast)
        credit(cast, 100_00, NOW + timedelta(hours=1))
        credit(cast, 60_00, NOW + timedelta(hours=2))

        assert run(RENEWAL) == 1

        invoice = issued(cast)[-1]
        assert (invoice.state, invoice.outstanding) == (Invoice.State.PAID, 0)
        assert (invoice.credited, invoice.collect_on) == (149_00, None)
        used = invoice.applications.order_by("credit__issued_at").values_list("amount", flat=True)
        assert list(used) == [100_00, 49_00]
        event = Event.objects.get(code="invoice.issued", subject_id=invoice.pk)
        assert event.facts["payable"] == {"minor": 0, "currency": "USD"}

    def test_that_cover_a_part_leave_the_rest(self, cast):
        agree(cast)
        credit(cast, 100_00, NOW + timedelta(hours=1))

        run(RENEWAL)

        invoice = issued(cast)[-1]
        assert (invoice.state, invoice.outstanding) == (Invoice.State.OPEN, 49_00)
        assert invoice.collect_on == RENEWAL

    def test_go_to_the_older_of_two_periods_that_are_caught_up(self, cast):
        agree(cast)
        credit(cast, 200_00, NOW + timedelta(hours=1))

        assert run(day("2027-01-10")) == 2

        assert [invoice.credited for invoice in issued(cast)] == [0, 149_00, 51_00]


class TestNothingToPay:
    def test_is_an_invoice_that_is_paid_at_once(self, cast):
        # A tier of Revampd may cost nothing; a Partner's plan may not.
        free = plan(cast.revampd, cast.rhea, "Free", 0)
        connection = cast.revampd_northwind
        request = BillingRequest.choose(Proposal(free), connection=connection, by=cast.maya, at=NOW)

        assert run(RENEWAL) == 1

        first, second = connection.invoices.order_by("number")
        for invoice in (first, second):
            assert (invoice.total, invoice.state) == (0, Invoice.State.PAID)
            assert invoice.collect_on is None
            assert invoice.lines.get().request == request
        assert not Transfer.objects.filter(connection=connection).exists()


class TestEnd:
    def test_is_billed_to_its_day_and_no_further(self, cast):
        agree(cast)
        SubscriptionItem.objects.update(end_date=day("2027-01-01"), ending="CANCELED")

        assert [run(RENEWAL), run(day("2027-03-01"))] == [1, 0]

        assert lines(issued(cast)[-1]) == [
            ("Growth, 10 Dec – 31 Dec 2026 (22 of 31 days)", 105_74),
        ]
        subscription = Subscription.objects.get()
        assert (subscription.end_date, subscription.next_invoice_date) == (day("2027-01-10"), None)


class TestScheduledChange:
    def test_takes_effect_on_its_day_in_a_run_that_is_late(self, cast):
        agree(cast)
        agree(cast, cast.scale, at=noon(2026, 11, 20), timing=Timing.NEXT_CYCLE)

        assert run(day("2027-01-15")) == 2

        assert [lines(invoice) for invoice in issued(cast)[1:]] == [
            [("Scale, 10 Dec 2026 – 9 Jan 2027", 297_00)],
            [("Scale, 10 Jan – 9 Feb 2027", 297_00)],
        ]


class TestUsage:
    @pytest.fixture
    def used(self, cast):
        """`used(on, quantity)` enters bookings of a plan that charges $2 for each."""
        metered = cast.growth.plan.publish(
            by=cast.maya, at=NOW, interval="MONTH", base_price=149_00, booking_fee=2_00
        )
        approve(cast, propose(cast, metered))
        item = SubscriptionItem.objects.get()

        def enter(on: str, quantity: int) -> UsageRecord:
            return UsageRecord.objects.create(
                connection=cast.northwind_bluebird,
                item=item,
                measure=Measure.BOOKING,
                used_on=day(on),
                quantity=quantity,
                key=f"{on} {quantity}",
                entered_by=cast.rhea,
                entered_at=NOW,
            )

        return enter

    def test_is_on_the_invoice_after_it_once(self, cast, used):
        rows = [used("2026-11-12", 3), used("2026-11-30", 4), used("2026-11-30", 5)]
        later = used("2026-12-10", 7)

        assert [run(RENEWAL), run(RENEWAL), run(day("2027-01-10"))] == [1, 0, 1]

        fees = [line for invoice in issued(cast) for line in lines(invoice) if "booking" in line[0]]
        assert fees == [
            ("12 bookings, 12 Nov – 30 Nov 2026", 24_00),
            ("7 bookings, 10 Dec 2026", 14_00),
        ]
        first, second = InvoiceLine.objects.exclude(measure="").order_by("id")
        for row in rows:
            row.refresh_from_db()
            assert row.line == first
        later.refresh_from_db()
        assert later.line == second

    def test_that_is_caught_up_goes_to_the_period_it_belongs_to(self, cast, used):
        used("2026-11-12", 3)
        used("2026-12-12", 4)

        assert run(day("2027-01-10")) == 2

        assert [invoice.total for invoice in issued(cast)] == [149_00, 155_00, 157_00]


def as_owner(statement: str, *params) -> None:
    """What only the schema's owner can do: change what was approved or agreed."""
    table = statement.split()[1]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, params)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class TestDiscrepancy:
    @pytest.fixture
    def cast(self, committed_cast):
        """Bluebird runs Growth, and so does Fabrikam at Contoso."""
        agree(committed_cast)
        theirs = BillingRequest.propose(
            Proposal(committed_cast.contoso_basic),
            connection=committed_cast.contoso_fabrikam,
            by=committed_cast.oscar,
            at=NOW,
        )
        theirs.approve(by=committed_cast.fay, seal=theirs.seal, at=NOW)
        return committed_cast

    @pytest.mark.parametrize(
        ("tamper", "mend", "found"),
        [
            (
                "UPDATE billing_subscriptionitem SET unit_price = 15900 WHERE name = 'Growth'",
                "UPDATE billing_subscriptionitem SET unit_price = 14900 WHERE name = 'Growth'",
                "Growth is billed at $159.00 a month, approved at $149.00 a month.",
            ),
            (
                "UPDATE billing_billingrequest SET terms = terms || '{\"unit_price\": 13900}'"
                " WHERE terms->>'name' = 'Growth'",
                "UPDATE billing_billingrequest SET terms = terms || '{\"unit_price\": 14900}'"
                " WHERE terms->>'name' = 'Growth'",
                "Growth is billed at $149.00 a month, approved at $139.00 a month.",
            ),
        ],
        ids=["price", "terms"],
    )
    def test_stops_this_invoice_alone_and_is_told_once(self, cast, tamper, mend, found):
        as_owner(tamper)

        assert [run(RENEWAL), run(RENEWAL), run(RENEWAL)] == [1, 0, 0]

        assert cast.northwind_bluebird.invoices.count() == 1
        assert cast.contoso_fabrikam.invoices.count() == 2
        discrepancy = Discrepancy.objects.get()
        assert (discrepancy.connection, discrepancy.found) == (cast.northwind_bluebird, found)
        event = Event.objects.get(code="billing.stopped")
        assert event.organization == cast.revampd
        assert Outbox.objects.filter(event=event).count() == 1
        assert set(BillingRun.objects.values_list("done", "stopped")) == {(2, 1), (1, 1)}

        as_owner(mend)

        assert run(RENEWAL) == 1
        assert cast.northwind_bluebird.invoices.count() == 2
        discrepancy.refresh_from_db()
        assert discrepancy.resolved_at
        assert Event.objects.filter(code="billing.resumed").count() == 1
