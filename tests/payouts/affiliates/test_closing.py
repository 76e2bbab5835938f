"""Affiliate payouts: closed by the month or the week, carried, and credited once."""

from datetime import date, timedelta

import pytest

from billing.books import differences
from billing.models import Credit
from connections.models import Event
from payouts.affiliates.closing import pay_affiliates
from payouts.affiliates.periods import next_period, period_of, periods_until
from payouts.models import AffiliatePayout, AffiliateShare
from payouts.models.affiliate_payouts import NotPending
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree
from tests.cast import Cast
from tests.payouts.acts import NOW, put_on_tier, take_back
from tests.payouts.test_books import plant

from .acts import (
    bill,
    bring_partner,
    bring_sub_org,
    close,
    give,
    month,
    pay_owed,
    subscribe,
    tier,
)

State = AffiliatePayout.State


def earn(cast: Cast, rate: int = 20_00):
    """Ada pays her first tier, for which Northwind earns a fifth: $19.40."""
    give(cast.revampd, rate, 12)
    connection = bring_partner(cast.northwind)
    subscribe(connection, tier(cast))
    return connection, pay_owed(connection)[0]


class TestClose:
    def test_makes_a_payout_of_a_month_that_is_over(self, cast):
        earn(cast)
        assert close(month(0, 30)) == []

        [payout] = close(month(1, 1))

        assert (payout.period_start, payout.period_end) == (date(2026, 11, 1), date(2026, 12, 1))
        assert (payout.amount, payout.state, payout.period) == (19_40, "PENDING", "November 2026")
        assert payout.connection == cast.revampd_northwind
        assert Event.objects.filter(code="affiliate_payout.pending").count() == 1
        assert_books_agree()

    def test_makes_one_of_a_week_if_the_settings_say_so(self, cast, settings):
        settings.AFFILIATE_PERIOD = "week"
        earn(cast)

        [payout] = close(month(0, 16))

        assert (payout.period_start, payout.period_end) == (date(2026, 11, 9), date(2026, 11, 16))
        assert payout.period == "9 Nov – 15 Nov 2026"

    def test_credits_it_after_the_days_of_the_settings(self, cast):
        earn(cast)
        close(month(1, 1))
        assert close(month(1, 3))[0].state == State.PENDING

        [payout] = close(month(1, 5))

        assert payout.state == State.APPLIED
        credit = payout.credit
        assert (credit.amount, credit.origin) == (19_40, Credit.Origin.AFFILIATE)
        assert credit.connection == cast.revampd_northwind
        assert credit.reason == "Affiliate payout, November 2026"
        assert Event.objects.filter(code="affiliate_payout.applied").count() == 1
        assert_books_agree()

    def test_credits_a_sub_org_on_its_own_connection_with_revampd(self, cast):
        give(cast.northwind, 10_00, 12)
        put_on_tier(cast, 0)
        brought = bring_sub_org(cast.bluebird, cast.northwind)
        subscribe(brought, cast.growth)
        pay_owed(brought)
        [pending] = close(month(1, 1))
        assert (pending.connection, pending.state) == (cast.revampd_bluebird, State.PENDING)

        [payout] = close(month(1, 5))

        assert (payout.amount, payout.state) == (14_90, State.APPLIED)
        lot = cast.revampd_bluebird.credits.get()
        assert (lot, lot.amount, lot.origin) == (payout.credit, 14_90, Credit.Origin.AFFILIATE)
        assert not cast.northwind_bluebird.credits.exists()
        assert_books_agree()

    def test_closes_and_credits_nothing_twice(self, cast):
        earn(cast)
        close(month(1, 5))
        [payout] = close(month(1, 9))

        assert pay_affiliates(at=month(5)) == 0
        with pytest.raises(NotPending):
            payout.apply(at=month(5))
        assert Credit.objects.filter(origin="AFFILIATE").count() == 1

    def test_catches_up_with_one_a_month(self, cast):
        connection, _ = earn(cast)
        for number in (1, 2):
            bill(connection, month(number, 11))

        payouts = close(month(5))

        assert [p.period for p in payouts] == ["November 2026", "December 2026", "January 2027"]
        assert {p.amount for p in payouts} == {19_40}

    def test_carries_what_is_below_zero(self, cast):
        connection, payment = earn(cast)
        close(month(1, 5))
        take_back(payment, 97_00, at=month(1, 6))
        close(month(2, 1))
        for number in (1, 2):
            bill(connection, month(2, 10 + number))

        first, below, third = close(month(3, 9))

        assert (first.amount, below.amount, below.state) == (19_40, -19_40, State.CARRIED)
        assert (third.carries, third.carried, third.earned) == (below, -19_40, 38_80)
        assert (third.amount, third.state) == (19_40, State.PENDING)
        assert_books_agree()

    def test_by_several_at_once_makes_and_credits_one(self, committed_cast):
        earn(committed_cast)

        made = at_once(*[lambda: pay_affiliates(at=month(1, 9))] * 8)
        pay_affiliates(at=month(1, 20))

        assert sum(made) == 1
        assert AffiliatePayout.objects.get().state == State.APPLIED
        assert Credit.objects.filter(origin="AFFILIATE").count() == 1
        assert_books_agree()


class TestPeriods:
    def test_are_months_or_weeks(self, settings):
        settings.AFFILIATE_PERIOD = "month"
        day = date(2026, 12, 31)
        assert (period_of(day), next_period(day)) == (date(2026, 12, 1), date(2027, 1, 1))
        assert periods_until(date(2027, 1, 5), 3) == [
            date(2026, 11, 1),
            date(2026, 12, 1),
            date(2027, 1, 1),
        ]
        settings.AFFILIATE_PERIOD = "week"
        assert (period_of(day), next_period(day)) == (date(2026, 12, 28), date(2027, 1, 4))


class TestFaults:
    @pytest.fixture
    def lived(self, committed_cast):
        _, payment = earn(committed_cast)
        take_back(payment, 10_00, at=NOW + timedelta(days=1))
        close(month(1, 1))
        close(month(1, 9))
        assert differences() == []
        return committed_cast

    @pytest.mark.parametrize(
        ("fault", "sentence"),
        [
            (
                "UPDATE payouts_affiliateshare SET amount = amount - 1 WHERE refund_id IS NULL",
                "The share of a referral of INV-",
            ),
            (
                "UPDATE billing_transfer SET amount = amount + 1 WHERE kind = 'SHARE_EARNED'",
                "Share of a referral of INV-",
            ),
            (
                "UPDATE payouts_affiliatepayout SET earned = earned + 1",
                "What was earned of the affiliate payout of 1 Nov 2026",
            ),
            (
                "UPDATE billing_credit SET amount = amount + 1 WHERE origin = 'AFFILIATE'",
                "The credit “Affiliate payout, November 2026”",
            ),
        ],
    )
    def test_are_found_and_named(self, lived, fault, sentence):
        plant(fault)

        assert any(sentence in found for found in differences())

    def test_are_found_in_a_payment_that_was_passed_over(self, lived):
        plant("DELETE FROM billing_transfer WHERE kind IN ('SHARE_EARNED', 'SHARE_BACK')")
        plant("DELETE FROM payouts_affiliateshare WHERE refund_id IS NOT NULL")
        assert AffiliateShare.objects.count() == 1
        assert differences() != []
