"""Earnings: one for each payment and each refund, at the rate that was approved and frozen."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Credit, Transfer
from billing.models.ledger import Account
from billing.models.tiers import tier_of
from billing.pricing import allocate
from connections.models import Connection
from payouts.harvest import collect_earnings
from payouts.models import Earning
from tests.billing.payments.acts import add_card, settle
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree

from .acts import FEE, NOW, change_tier, parts, put_on_tier, sell, take_back, week


def balance(cast, account: Account) -> int:
    ledger = Transfer.objects.filter(connection=cast.revampd_northwind)
    return -ledger.balance(account, "USD").minor


class TestCollect:
    def test_makes_one_earning_of_each_payment(self, cast):
        tier = put_on_tier(cast)
        payment = sell(cast, 400_00)

        assert collect_earnings() == 1

        earning = Earning.objects.get()
        assert earning.payment == payment
        assert earning.account == cast.revampd_northwind
        assert earning.connection == cast.northwind_bluebird
        assert earning.authority == tier
        assert earning.fee_rate == FEE
        assert parts(earning) == (400_00, 14_00, 0, 386_00)
        assert (earning.earned_at, earning.earned_on) == (NOW, date(2026, 11, 10))
        assert_books_agree()

    def test_adds_nothing_when_it_runs_again(self, cast):
        put_on_tier(cast)
        sell(cast, 400_00)
        collect_earnings()

        assert collect_earnings() == 0

        assert Earning.objects.count() == 1

    def test_takes_what_the_card_paid_and_not_what_credits_paid(self, cast):
        put_on_tier(cast)
        Credit.adjust(cast.northwind_bluebird, 100_00, reason="Sorry", by=cast.noah, at=NOW)
        sell(cast, 400_00)

        collect_earnings()

        assert Earning.objects.get().gross == 300_00

    def test_takes_nothing_of_what_failed_or_is_under_way(self, cast):
        put_on_tier(cast)
        sell(cast, 400_00, card="insufficient_funds")
        sell(cast, 400_00, card="delayed")

        assert collect_earnings() == 0

    def test_takes_nothing_of_what_partners_pay_to_revampd(self, cast):
        put_on_tier(cast)
        add_card(cast.revampd_northwind, cast.maya)
        settle(NOW)

        assert collect_earnings() == 0

    def test_takes_no_fee_where_no_tier_was_approved(self, cast):
        sell(cast, 400_00)

        collect_earnings()

        earning = Earning.objects.get()
        assert (earning.authority, parts(earning)) == (None, (400_00, 0, 0, 400_00))

    def test_keeps_the_rate_of_the_moment(self, cast):
        put_on_tier(cast, 5_00)
        sell(cast, 100_00)
        change_tier(cast, 2_00)
        sell(cast, 100_00, at=week(1))

        collect_earnings()

        earnings = Earning.objects.order_by("earned_at")
        assert [earning.fee for earning in earnings] == [5_00, 2_00]
        for earning in earnings:
            tier = tier_of(cast.northwind, earning.earned_on)
            assert earning.fee_rate == tier.transaction_fee
            assert earning.authority.plan_version == tier

    def test_counts_by_the_day_at_revampd(self, cast):
        cast.revampd.time_zone = "America/Los_Angeles"
        cast.revampd.save()
        sell(cast, 100_00, at=datetime(2026, 11, 16, 3, tzinfo=UTC))

        collect_earnings()

        assert Earning.objects.get().earned_on == date(2026, 11, 15)

    def test_books_the_partner_share_and_the_fee(self, cast):
        put_on_tier(cast)
        take_back(sell(cast, 400_00), 100_00)

        collect_earnings()

        assert balance(cast, Account.PAYABLE) == 289_50
        assert balance(cast, Account.FEES) == 10_50
        assert balance(cast, Account.HELD) == -300_00
        assert_books_agree()

    def test_by_several_at_once_adds_each_once(self, committed_cast):
        put_on_tier(committed_cast)
        for minor in range(10_00, 20_00, 1_00):
            take_back(sell(committed_cast, minor), 33)

        added = at_once(*[collect_earnings] * 6)

        assert sum(added) == 20
        assert Earning.objects.count() == 20
        assert_books_agree()


class TestRefund:
    def test_is_a_negative_earning_at_the_frozen_rate(self, cast):
        put_on_tier(cast, 5_00)
        payment = sell(cast, 100_00)
        change_tier(cast, 2_00)
        take_back(payment, 40_00, at=week(1))

        collect_earnings()

        sale, back = Earning.objects.order_by("earned_at")
        assert parts(back) == (-40_00, -2_00, 0, -38_00)
        assert (back.reverses, back.refund) == (sale, payment.refunds.get())

    def test_comes_later_than_its_payment(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 100_00)
        collect_earnings()
        take_back(payment, 100_00)

        assert collect_earnings() == 1

        assert Earning.objects.sums()[:4] == (0, 0, 0, 0)

    def test_that_no_card_takes_leaves_the_earning(self, cast):
        """It becomes credit with the Partner, who keeps what was collected."""
        put_on_tier(cast)
        payment = sell(cast, 100_00, card="refuses_refunds")
        take_back(payment, 100_00)
        settle(NOW)

        collect_earnings()

        assert Earning.objects.get().gross == 100_00

    def test_cent_by_cent_leaves_nothing_behind(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 99)
        collect_earnings()
        for minor in (1, 1, 1, 30, 66):
            take_back(payment, minor)
            collect_earnings()

        assert Earning.objects.count() == 6
        assert Earning.objects.sums()[:4] == (0, 0, 0, 0)
        assert_books_agree()


class TestShares:
    @pytest.mark.parametrize("rate", [0, 1, 1_00, 2_90, 3_33, 3_50, 50_00, 99_99, 100_00])
    def test_are_those_of_the_house_rule(self, cast, rate):
        put_on_tier(cast, rate)
        amounts = (1, 2, 3, 14, 50, 99, 101, 14_99, 149_00, 999_99)
        for minor in amounts:
            sell(cast, minor)

        collect_earnings()

        for earning in Earning.objects.all():
            fee, net = allocate(earning.gross, [rate, 100_00 - rate])
            assert parts(earning) == (earning.gross, fee, 0, net)
        assert Earning.objects.count() == len(amounts)


class TestMoment:
    @given(st.integers(1, 10**9), st.integers(0, 10_000))
    def test_of_rounding_is_half_a_cent(self, minor, rate):
        """The arithmetic of the statement beside `pricing.allocate`, over amounts of any size."""
        assert (minor * rate + 5000) // 10000 == allocate(minor, [rate, 10_000 - rate])[0]


class TestCurrency:
    def test_of_another_connection_is_never_added(self, cast):
        sell(cast, 100_00)
        Connection.objects.filter(pk=cast.revampd_northwind.pk).update(currency="EUR")

        assert collect_earnings() == 0


class TestSums:
    def test_are_counted_by_sub_org_and_by_week(self, cast):
        put_on_tier(cast)
        sell(cast, 100_00)
        sell(cast, 50_00, at=NOW - timedelta(days=7))
        collect_earnings()

        earned = cast.revampd_northwind.earnings
        assert earned.by_sub_org() == [(cast.bluebird.name, 144_75)]
        weeks = [date(2026, 11, 2), date(2026, 11, 9)]
        assert earned.by_week(weeks) == {weeks[0]: 48_25, weeks[1]: 96_50}
