"""Closing weeks: each earning in one payout, late ones in the next, debts carried."""

from datetime import UTC, date, datetime, timedelta

import pytest

from connections.models import Event
from payouts.closing import close_weeks
from payouts.harvest import collect_earnings
from payouts.models import Earning, Payout, Preference
from payouts.weeks import week_of, weeks_until
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree

from .acts import NOW, WEEK, close, put_on_tier, sell, take_back, week

State = Payout.State
MONDAY = date(2026, 11, 9)


class TestClose:
    def test_makes_a_payout_of_a_week_that_is_over(self, cast):
        put_on_tier(cast)
        sell(cast, 400_00)
        take_back(sell(cast, 100_00), 50_00)

        [payout] = close(week(1))

        assert payout.connection == cast.revampd_northwind
        assert (payout.period_start, payout.period_end) == (MONDAY, date(2026, 11, 16))
        assert (payout.gross, payout.fee, payout.net) == (450_00, 15_75, 434_25)
        assert (payout.amount, payout.state) == (434_25, State.AVAILABLE)
        assert payout.earnings.count() == 3
        assert payout.week == "week of 9 Nov 2026"
        assert_books_agree()

    def test_waits_for_the_end_of_the_week_at_revampd(self, cast):
        cast.revampd.time_zone = "America/Los_Angeles"
        cast.revampd.save()
        sell(cast, 100_00)

        assert close(datetime(2026, 11, 16, 7, 59, tzinfo=UTC)) == []
        assert len(close(datetime(2026, 11, 16, 8, 1, tzinfo=UTC))) == 1

    def test_closes_nothing_twice(self, cast):
        sell(cast, 100_00)
        close(week(1))

        assert close_weeks(at=week(1)) == 0
        assert close_weeks(at=week(5)) == 0

        assert Payout.objects.count() == 1
        assert Event.objects.filter(code="payout.available").count() == 1

    def test_catches_up_with_one_payout_a_week(self, cast):
        for number in (0, 1, 3):
            sell(cast, 100_00, at=week(number))

        payouts = close(week(6))

        assert [p.period_start for p in payouts] == [MONDAY + n * WEEK for n in (0, 1, 3)]
        assert {p.amount for p in payouts} == {100_00}

    def test_gives_each_partner_its_own(self, cast):
        sell(cast, 100_00)
        sell(cast, 70_00, connection=cast.contoso_fabrikam)

        payouts = close(week(1))

        assert {p.connection.customer.name: p.amount for p in payouts} == {
            cast.northwind.name: 100_00,
            cast.contoso.name: 70_00,
        }

    def test_puts_what_comes_late_into_the_next_one(self, cast):
        sell(cast, 100_00)
        close(week(1))
        sell(cast, 30_00, at=NOW + timedelta(days=1))

        assert len(close(week(1))) == 1
        first, second = close(week(2))

        assert (first.amount, second.amount) == (100_00, 30_00)
        assert second.period_start == MONDAY + WEEK
        assert Earning.objects.waiting().count() == 0

    @pytest.mark.parametrize("weekday", range(7))
    def test_begins_weeks_on_the_day_of_the_settings(self, cast, settings, weekday):
        settings.PAYOUT_WEEKDAY = weekday
        days = [NOW + timedelta(days=number) for number in range(8)]
        for day in days:
            sell(cast, 10_00, at=day)

        payouts = close(week(3))

        starts = [week_of(day.date()) for day in days]
        assert {p.period_start: p.amount for p in payouts} == {
            start: 10_00 * starts.count(start) for start in starts
        }
        assert all(p.period_start.weekday() == weekday for p in payouts)

    def test_goes_on_where_the_weekday_of_the_settings_changes(self, cast, settings):
        sell(cast, 10_00)
        close(week(1))
        settings.PAYOUT_WEEKDAY = 3
        sell(cast, 20_00, at=week(1))

        _, second = close(week(2))

        assert (second.period_start, second.period_end) == (date(2026, 11, 16), date(2026, 11, 19))

    def test_by_several_at_once_makes_one(self, committed_cast):
        sell(committed_cast, 100_00)
        sell(committed_cast, 100_00, at=week(1))
        sell(committed_cast, 100_00, connection=committed_cast.contoso_fabrikam)
        collect_earnings()

        made = at_once(*[lambda: close_weeks(at=week(3))] * 6)

        assert sum(made) == 3
        assert [p.amount for p in Payout.objects.all()] == [100_00] * 3
        assert_books_agree()


class TestCarry:
    def test_takes_what_is_below_zero_into_the_next_one(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 100_00)
        close(week(1))
        take_back(payment, 100_00, at=week(1))
        close(week(2))
        sell(cast, 300_00, at=week(2))

        first, below, third = close(week(3))

        assert (first.amount, below.amount, below.state) == (96_50, -96_50, State.CARRIED)
        assert (third.carries, third.carried) == (below, -96_50)
        assert (third.net, third.amount, third.state) == (289_50, 193_00, State.AVAILABLE)
        assert Event.objects.filter(code="payout.carried").count() == 1
        assert_books_agree()

    def test_goes_on_until_it_is_earned(self, cast):
        payment = sell(cast, 100_00)
        close(week(1))
        take_back(payment, 100_00, at=week(1))
        close(week(2))
        for number in (2, 3):
            sell(cast, 60_00, at=week(number))

        amounts = [payout.amount for payout in close(week(4))]

        assert amounts == [100_00, -100_00, -40_00, 20_00]

    def test_leaves_nothing_where_a_week_comes_to_zero(self, cast):
        take_back(sell(cast, 100_00), 100_00)
        close(week(1))
        sell(cast, 10_00, at=week(1))

        even, next_one = close(week(2))

        assert (even.amount, even.state) == (0, State.CARRIED)
        assert (next_one.carries, next_one.amount) == (None, 10_00)


class TestPreference:
    def choose(self, cast, kind, percent=None, at=NOW):
        Preference.choose(
            cast.revampd_northwind,
            Preference.Kind(kind),
            credit_percent=percent,
            by=cast.noah,
            at=at,
        )

    def test_settles_what_becomes_available(self, cast):
        self.choose(cast, "CREDIT")
        sell(cast, 100_00)

        [payout] = close(week(1))

        assert (payout.state, payout.credited) == (State.SETTLED, 100_00)
        assert cast.revampd_northwind.credits.get().reason == "Partner payout, week of 9 Nov 2026"
        assert_books_agree()

    def test_leaves_what_it_cannot_settle_and_says_so_once(self, cast):
        self.choose(cast, "SPLIT", 40)
        sell(cast, 100_00)

        [payout] = close(week(1))
        close(week(1))

        assert payout.state == State.AVAILABLE
        [told] = Event.objects.filter(code="payout_preference.failed")
        assert "No bank account is linked" in told.facts["failure"]

    def test_leaves_what_was_available_before(self, cast):
        sell(cast, 100_00)
        close(week(1))
        self.choose(cast, "CREDIT", at=week(1))

        [payout] = close(week(1))

        assert payout.state == State.AVAILABLE


class TestWeeks:
    def test_are_counted_back_from_the_one_of_the_day(self):
        assert list(weeks_until(date(2026, 11, 15), 2)) == [date(2026, 11, 2), MONDAY]
