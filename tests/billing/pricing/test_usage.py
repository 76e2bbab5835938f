"""What usage costs: by the fees of the plan that ran on the day, before the invoice's own day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import (
    ItemKind,
    Measure,
    Period,
    Running,
    Usage,
    change,
    usage_charges,
)
from revampd.kit.money import Money
from tests.billing.pricing.books import MONTH, NOV_10, YEAR, offer, on_growth, plan

BOOKING, TRANSFER = Measure.BOOKING, Measure.TRANSFER
NOV_1, DEC_1 = date(2026, 11, 1), date(2026, 12, 1)
GROWTH = plan(149_00, start=NOV_1, billed_to=DEC_1, booking_fee=2_00, transfer_fee=75)

usages = st.lists(
    st.builds(
        Usage,
        st.sampled_from(Measure),
        st.dates(date(2026, 10, 25), date(2027, 2, 10)),
        st.integers(0, 40),
    ),
    max_size=12,
)


class TestUsageCharges:
    def test_says_what_was_counted_and_on_which_days(self):
        usage = [
            Usage(TRANSFER, date(2026, 11, 5), 1),
            Usage(BOOKING, date(2026, 11, 30), 8),
            Usage(BOOKING, NOV_1, 4),
        ]

        bookings, transfers = usage_charges(GROWTH, usage)

        assert bookings.text == "12 bookings, 1 Nov – 30 Nov 2026"
        assert (bookings.quantity, bookings.unit_price) == (12, Money(2_00))
        assert (bookings.amount, bookings.measure) == (Money(24_00), BOOKING)
        assert transfers.text == "1 transfer, 5 Nov 2026"
        assert (transfers.quantity, transfers.unit_price) == (1, Money(75))
        assert (transfers.amount, transfers.measure) == (Money(75), TRANSFER)
        assert transfers.period == Period(date(2026, 11, 5), date(2026, 11, 6))

    def test_charges_nothing_where_the_plan_has_no_fee(self):
        free = replace(GROWTH, transfer_fee=0)

        assert usage_charges(free, [Usage(TRANSFER, NOV_10, 3)]) == []

    def test_charges_nothing_for_a_count_of_nothing(self):
        assert usage_charges(GROWTH, [Usage(BOOKING, NOV_10, 0)]) == []

    def test_keeps_the_currency(self):
        euros = replace(GROWTH, unit_price=Money(149_00, "EUR"))

        [line] = usage_charges(euros, [Usage(BOOKING, NOV_10, 3)])

        assert line.amount == Money(6_00, "EUR")

    @pytest.mark.parametrize(
        ("day", "lines"),
        [
            (date(2026, 10, 31), 0),
            (NOV_1, 1),
            (date(2026, 11, 9), 1),
            (NOV_10, 0),
        ],
    )
    def test_counts_the_days_on_which_the_plan_ran(self, day, lines):
        ended = replace(GROWTH, end=NOV_10)

        assert len(usage_charges(ended, [Usage(BOOKING, day, 1)])) == lines

    @given(usage=usages)
    def test_charges_every_use_once_whatever_the_order(self, usage):
        lines = usage_charges(GROWTH, usage)

        assert usage_charges(GROWTH, usage[::-1]) == lines
        for measure in Measure:
            counted = sum(u.count for u in usage if u.measure == measure and u.day >= NOV_1)
            charged = [line for line in lines if line.measure == measure]
            assert sum(line.quantity for line in charged) == counted
            assert len(charged) == (counted > 0)
        for line in lines:
            assert line.amount == line.unit_price * line.quantity


class TestUpcoming:
    def test_puts_usage_after_the_line_of_its_plan(self):
        number = replace(GROWTH, kind=ItemKind.ADD_ON, name="Number", booking_fee=0, key="Number")
        running = Running((GROWTH, replace(number, transfer_fee=0)), DEC_1)

        lines = running.upcoming([Usage(BOOKING, NOV_10, 2)])

        assert [(line.text, line.measure) for line in lines] == [
            ("Growth, 1 Dec – 31 Dec 2026", ""),
            ("2 bookings, 10 Nov 2026", BOOKING),
            ("Number, 1 Dec – 31 Dec 2026", ""),
        ]
        assert (lines[0].quantity, lines[0].unit_price) == (1, Money(149_00))

    def test_leaves_the_invoice_day_to_the_next_invoice(self):
        running = Running((GROWTH,), DEC_1)
        usage = [Usage(BOOKING, DEC_1, 5), Usage(BOOKING, date(2026, 11, 30), 1)]

        lines, later = running.bill(usage)

        assert [line.quantity for line in lines if line.measure] == [1]
        assert [line.quantity for line in later.upcoming(usage[:1]) if line.measure] == [5]

    def test_charges_each_day_at_the_fee_that_was_approved_for_it(self):
        running = Running((GROWTH,), DEC_1)
        dearer = offer(ItemKind.PLAN, 297_00, booking_fee=3_00)
        running = change(dearer, running, NOV_10).applied(running)

        lines = running.upcoming([Usage(BOOKING, NOV_10 - timedelta(d), 1) for d in (1, 0)])

        assert [(line.text, line.amount) for line in lines if line.measure] == [
            ("1 booking, 9 Nov 2026", Money(2_00)),
            ("1 booking, 10 Nov 2026", Money(3_00)),
        ]

    def test_charges_what_is_left_on_the_last_invoice(self):
        running = Running((replace(GROWTH, end=DEC_1),), DEC_1)

        lines, after = running.bill([Usage(BOOKING, NOV_10, 1)])

        assert [line.text for line in lines] == ["1 booking, 10 Nov 2026"]
        assert after.next_invoice is None

    def test_keeps_the_fees_of_what_moves_to_another_interval(self):
        running = Running((GROWTH, replace(GROWTH, kind=ItemKind.ADD_ON, key="Number")), DEC_1)
        yearly = offer(ItemKind.PLAN, 990_00, interval=YEAR)

        moved = change(yearly, running, NOV_10).opened[1]

        assert (moved.booking_fee, moved.transfer_fee) == (2_00, 75)

    @given(usage=usages, interval=st.sampled_from([MONTH, YEAR]), switch=st.integers(0, 60))
    def test_charges_every_use_once_over_all_invoices(self, usage, interval, switch):
        day = NOV_1 + timedelta(switch)
        running = Running((GROWTH,), DEC_1)
        dearer = offer(ItemKind.PLAN, 297_00, interval=interval, booking_fee=3_00, transfer_fee=1)
        running = change(dearer, running, day).applied(running)
        fees = {BOOKING: (2_00, 3_00), TRANSFER: (75, 1)}
        due = sum(
            used.count * fees[used.measure][used.day >= day] for used in usage if used.day >= NOV_1
        )

        left, charged = list(usage), 0
        while running.next_invoice and running.next_invoice < date(2028, 3, 1):
            lines, later = running.bill(left)
            charged += sum(line.amount.minor for line in lines if line.measure)
            left = [used for used in left if used.day >= running.next_invoice]
            running = later

        assert charged == due

    @given(usage=usages)
    def test_charges_the_days_alike_with_and_without_usage(self, usage):
        running = on_growth()

        lines = running.upcoming(usage)

        assert [line for line in lines if not line.measure] == running.upcoming()
