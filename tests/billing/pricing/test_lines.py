"""What the days of one item cost, to the cent and in words."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import Period, charges, part, period_on
from revampd.kit.money import Money
from tests.billing.pricing.books import NOV_10, days, intervals, plan, prices


class TestPart:
    @given(price=prices, anchor=days, interval=intervals, cuts=st.lists(st.integers(0, 366)))
    def test_adds_up_to_the_price_when_stretches_tile_the_period(
        self, price, anchor, interval, cuts
    ):
        whole = period_on(anchor, interval, anchor)
        marks = sorted({0, whole.days, *(cut % whole.days for cut in cuts)})
        stretches = [
            Period(whole.start + timedelta(a), whole.start + timedelta(b))
            for a, b in pairwise(marks)
        ]

        shares = [part(Money(price), whole, stretch).minor for stretch in stretches]

        assert sum(shares) == price
        assert min(shares) >= 0

    @given(price=prices, anchor=days, interval=intervals, first=st.integers(0, 364))
    def test_is_less_than_a_cent_off_the_exact_share(self, price, anchor, interval, first):
        whole = period_on(anchor, interval, anchor)
        start = whole.start + timedelta(first % whole.days)
        stretch = Period(start, whole.end)

        share = part(Money(price), whole, stretch).minor

        assert abs(share * whole.days - price * stretch.days) < whole.days

    def test_keeps_the_currency(self):
        whole = Period(date(2026, 11, 1), date(2026, 12, 1))

        assert part(Money(3000, "EUR"), whole, whole) == Money(3000, "EUR")


class TestCharges:
    def test_says_the_days_of_a_part_in_words(self):
        item = plan(149_00, start=date(2026, 11, 10), anchor=date(2026, 11, 1))

        [line] = charges(item, date(2026, 12, 1))

        assert line.text == "Growth, 10 Nov – 30 Nov 2026 (21 of 30 days)"
        assert line.amount == Money(104_30)

    def test_says_how_many(self):
        item = plan(2_50, start=date(2026, 11, 1), quantity=5)

        [line] = charges(item, date(2026, 12, 1))

        assert (line.text, line.amount) == ("5 × Growth, 1 Nov – 30 Nov 2026", Money(12_50))

    def test_catches_up_period_by_period(self):
        item = plan(149_00, start=date(2026, 1, 31))

        lines = charges(item, date(2026, 4, 30))

        ends = [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
        assert [line.period.end for line in lines] == ends
        assert {line.amount for line in lines} == {Money(149_00)}

    def test_gives_back_what_was_paid_beyond_the_end(self):
        november = date(2026, 11, 1)
        item = plan(149_00, start=november, end=NOV_10, billed_to=date(2026, 12, 1))

        [line] = charges(item, date(2027, 1, 1))

        assert line.text == "Unused part of Growth, 10 Nov – 30 Nov 2026 (21 of 30 days)"
        assert line.amount == Money(-104_30)

    def test_gives_back_no_more_days_than_were_paid(self):
        # A scheduled yearly plan had cut the period short at 20 November.
        november = date(2026, 11, 1)
        item = plan(149_00, start=november, end=NOV_10, billed_to=date(2026, 11, 20))

        [line] = charges(item, date(2026, 12, 1))

        assert line.period == Period(NOV_10, date(2026, 11, 20))

    def test_gives_back_nothing_of_what_cost_nothing(self):
        november = date(2026, 11, 1)
        free = plan(0, start=november, end=november, billed_to=date(2026, 12, 1))

        assert charges(free, date(2027, 1, 1)) == []

    def test_is_empty_for_what_is_billed(self):
        item = plan(149_00, start=date(2026, 11, 1), billed_to=date(2026, 12, 1))

        assert charges(item, date(2026, 12, 1)) == []
