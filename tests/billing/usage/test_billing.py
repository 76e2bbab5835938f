"""What was counted comes onto the next invoice, once, at the fee of the plan that ran."""

from datetime import UTC, datetime, time, timedelta

import pytest

from billing.cycle import bill_due
from billing.models import Discrepancy, SubscriptionItem, UsageRecord
from billing.pricing import Timing
from revampd.kit.errors import Invalid
from tests.billing.acts import NOW, agree, day, issued, lines, noon
from tests.billing.usage.counting import TRANSFER, enter, metered


def run(on: str) -> int:
    return bill_due(day(on), at=datetime.combine(day(on), time(12), UTC))


class TestNextInvoice:
    def test_charges_it_beside_the_plan(self, cast):
        agree(cast, metered(cast))
        enter(cast, 3)
        enter(cast, 2, key="B-2", on=day("2026-11-20"), at=noon(2026, 11, 20))
        enter(cast, 4, key="T-1", measure=TRANSFER)

        run("2026-12-10")

        assert lines(issued(cast)[-1]) == [
            ("Growth, 10 Dec 2026 – 9 Jan 2027", 149_00),
            ("5 bookings, 10 Nov – 20 Nov 2026", 10_00),
            ("4 transfers, 10 Nov 2026", 3_00),
        ]
        assert not UsageRecord.objects.unbilled().exists()
        assert {row.line.invoice for row in UsageRecord.objects.all()} == {issued(cast)[-1]}
        assert not Discrepancy.objects.exists()

    def test_charges_it_once(self, cast):
        agree(cast, metered(cast))
        enter(cast)
        for on in ("2026-12-10", "2026-12-10", "2027-01-10"):
            run(on)

        charged = [text for invoice in issued(cast) for text, _ in lines(invoice)]
        assert charged.count("3 bookings, 10 Nov 2026") == 1

    def test_leaves_its_own_day_to_the_one_after(self, cast):
        agree(cast, metered(cast))
        enter(cast, on=day("2026-12-10"), at=noon(2026, 12, 10))

        run("2026-12-10")
        assert UsageRecord.objects.unbilled().count() == 1

        run("2027-01-10")
        assert lines(issued(cast)[-1])[1] == ("3 bookings, 10 Dec 2026", 6_00)

    def test_takes_what_was_entered_late(self, cast):
        agree(cast, metered(cast))
        run("2026-12-10")
        enter(cast, on=day("2026-11-12"), at=noon(2026, 12, 20))

        run("2027-01-10")

        assert lines(issued(cast)[-1])[1] == ("3 bookings, 12 Nov 2026", 6_00)

    def test_late_puts_each_period_on_its_own(self, cast):
        agree(cast, metered(cast))
        enter(cast, 1, key="a")
        enter(cast, 2, key="b", on=day("2026-12-20"), at=noon(2026, 12, 20))
        enter(cast, 3, key="c", on=day("2027-01-12"), at=noon(2027, 1, 12))

        assert run("2027-02-10") == 3

        assert [lines(invoice)[-1] for invoice in issued(cast)[1:]] == [
            ("1 booking, 10 Nov 2026", 2_00),
            ("2 bookings, 20 Dec 2026", 4_00),
            ("3 bookings, 12 Jan 2027", 6_00),
        ]

    def test_charges_each_plan_at_its_own_fee(self, cast):
        agree(cast, metered(cast))
        enter(cast, 1, key="before", on=day("2026-11-12"), at=noon(2026, 11, 12))
        agree(cast, metered(cast, booking_fee=5_00), at=noon(2026, 11, 20))
        enter(cast, 1, key="after", on=day("2026-11-25"), at=noon(2026, 11, 25))

        run("2026-12-20")

        charged = [line for invoice in issued(cast) for line in lines(invoice)]
        assert ("1 booking, 12 Nov 2026", 2_00) in charged
        assert ("1 booking, 25 Nov 2026", 5_00) in charged


class TestChangeOnTheSameDay:
    def test_charges_what_was_entered_before_at_the_fee_of_then(self, cast):
        agree(cast, metered(cast))
        enter(cast, 1, key="morning")
        agree(cast, metered(cast, booking_fee=5_00), at=NOW + timedelta(hours=5))
        enter(cast, 1, key="evening", at=NOW + timedelta(hours=6))

        run("2026-12-10")

        amounts = sorted(
            amount
            for invoice in issued(cast)
            for text, amount in lines(invoice)
            if text == "1 booking, 10 Nov 2026"
        )
        assert amounts == [2_00, 5_00]
        assert not UsageRecord.objects.unbilled().exists()

    def test_takes_nothing_more_for_a_plan_that_never_ran(self, cast):
        agree(cast, metered(cast))
        agree(cast, cast.scale, at=NOW + timedelta(hours=5))

        with pytest.raises(Invalid, match="Scale, which ran on 10 Nov 2026, has no fee"):
            enter(cast, at=NOW + timedelta(hours=6))

    def test_is_billed_though_the_plan_ended_long_ago(self, cast):
        agree(cast, metered(cast))
        agree(cast, cast.scale, at=noon(2026, 11, 20))
        run("2027-09-20")
        enter(cast, on=day("2026-11-12"), at=noon(2027, 10, 1))
        ended = SubscriptionItem.objects.get(end_date=day("2026-11-20"))
        assert ended.billed_to == ended.end_date

        run("2027-10-20")
        assert ("3 bookings, 12 Nov 2026", 6_00) in lines(issued(cast)[-1])

    def test_with_the_next_cycle_charges_the_days_before(self, cast):
        agree(cast, metered(cast))
        agree(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        enter(cast)

        run("2026-12-10")

        assert ("3 bookings, 10 Nov 2026", 6_00) in lines(issued(cast)[-1])
