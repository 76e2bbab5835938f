"""The calendar: anchors at the end of the month, and periods that tile it."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import Period, boundary, period_on, span
from tests.billing.pricing.books import MONTH, YEAR, days, intervals


class TestBoundary:
    @pytest.mark.parametrize(
        ("anchor", "interval", "expected"),
        [
            (
                date(2026, 1, 31),
                MONTH,
                [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)],
            ),
            (date(2027, 12, 31), MONTH, [date(2028, 1, 31), date(2028, 2, 29)]),
            (date(2026, 1, 30), MONTH, [date(2026, 2, 28), date(2026, 3, 30)]),
            (date(2026, 1, 29), MONTH, [date(2026, 2, 28), date(2026, 3, 29)]),
            (date(2026, 1, 28), MONTH, [date(2026, 2, 28), date(2026, 3, 28)]),
            (
                date(2024, 2, 29),
                YEAR,
                [date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)],
            ),
            (date(2026, 6, 1), YEAR, [date(2027, 6, 1)]),
        ],
    )
    def test_counts_from_the_origin(self, anchor, interval, expected):
        found = [boundary(anchor, interval, number) for number in range(1, len(expected) + 1)]

        assert found == expected

    @given(anchor=days, interval=intervals, number=st.integers(0, 600))
    def test_agrees_with_the_calendar_of_dateutil(self, anchor, interval, number):
        expected = anchor + relativedelta(months=number * interval.months)

        assert boundary(anchor, interval, number) == expected

    @given(anchor=days, interval=intervals)
    def test_never_drifts_from_the_anchor_day(self, anchor, interval):
        starts = [boundary(anchor, interval, number) for number in range(50)]

        assert all(start.day == anchor.day or month_ends_on(start) for start in starts)


def month_ends_on(day: date) -> bool:
    return (day + timedelta(1)).day == 1


class TestPeriodOn:
    @given(anchor=days, interval=intervals, after=st.integers(0, 2000))
    def test_contains_the_day(self, anchor, interval, after):
        day = anchor + timedelta(after)

        period = period_on(anchor, interval, day)

        assert period.start <= day < period.end

    @given(anchor=days, interval=intervals)
    def test_tiles_the_calendar(self, anchor, interval):
        periods = [period_on(anchor, interval, anchor)]
        while len(periods) < 40:
            periods.append(period_on(anchor, interval, periods[-1].end))

        assert periods[0].start == anchor
        assert all(one.end == next_one.start for one, next_one in pairwise(periods))
        assert [p.start for p in periods] == [boundary(anchor, interval, n) for n in range(40)]

    @given(anchor=days, interval=intervals, after=st.integers(0, 800))
    def test_is_the_same_for_all_its_days(self, anchor, interval, after):
        period = period_on(anchor, interval, anchor + timedelta(after))

        last = period.end - timedelta(1)
        assert period_on(anchor, interval, period.start) == period
        assert period_on(anchor, interval, last) == period

    def test_refuses_a_day_before_the_anchor(self):
        with pytest.raises(ValueError, match="before the first period"):
            period_on(date(2026, 2, 1), MONTH, date(2026, 1, 31))


class TestSpan:
    @pytest.mark.parametrize(
        ("start", "end", "words"),
        [
            (date(2026, 12, 1), date(2027, 1, 1), "1 Dec – 31 Dec 2026"),
            (date(2026, 12, 15), date(2027, 1, 15), "15 Dec 2026 – 14 Jan 2027"),
            (date(2026, 12, 31), date(2027, 1, 1), "31 Dec 2026"),
        ],
    )
    def test_names_the_last_day(self, start, end, words):
        assert span(start, end) == words == str(Period(start, end))
