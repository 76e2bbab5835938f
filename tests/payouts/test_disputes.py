"""Disputes take earnings back at the rates they were earned at, and give them again once won."""

from datetime import timedelta
from itertools import permutations

import pytest

from billing.gateways.base import ClaimState
from payouts.affiliates.sharing import collect_shares
from payouts.harvest import collect_earnings
from payouts.models import AffiliateShare, Earning, Payout
from tests.billing.payments.acts import decide
from tests.books import assert_books_agree

from .acts import NOW, change_tier, claim_back, close, parts, put_on_tier, sell, take_back, week
from .affiliates.acts import bring_partner, bring_sub_org, give, pay_owed, subscribe, tier

WON, LOST = ClaimState.WON, ClaimState.LOST
MINUTE = timedelta(minutes=1)


def kinds(payment) -> list[tuple[str, tuple[int, ...]]]:
    rows = Earning.objects.filter(payment=payment).order_by("earned_at", "is_won", "pk")
    return [(row.kind, parts(row)) for row in rows]


class TestEarnings:
    def test_are_taken_back_when_it_is_opened(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 400_00)
        collect_earnings()
        change_tier(cast, 9_00)

        claim_back(payment, at=week(1))
        assert collect_earnings() == 1

        assert kinds(payment) == [
            ("Payment", (400_00, 14_00, 0, 386_00)),
            ("Dispute", (-400_00, -14_00, 0, -386_00)),
        ]
        assert_books_agree()

    def test_come_again_when_it_is_won(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 400_00)
        begun = claim_back(payment, 100_01, at=week(1))
        collect_earnings()

        decide(begun, WON, week(5))
        assert collect_earnings() == 1
        assert collect_earnings() == 0

        assert kinds(payment)[1:] == [
            ("Dispute", (-100_01, -3_50, 0, -96_51)),
            ("Dispute won", (100_01, 3_50, 0, 96_51)),
        ]
        assert_books_agree()

    def test_stay_away_when_it_is_lost(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 400_00)

        decide(claim_back(payment, at=week(1)), LOST, week(5))
        collect_earnings()

        assert [kind for kind, _ in kinds(payment)] == ["Payment", "Dispute"]
        assert_books_agree()

    def test_are_collected_in_order_when_it_is_over_already(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 400_00)
        decide(claim_back(payment, at=week(1)), WON, week(5))

        assert collect_earnings() == 3

        assert [kind for kind, _ in kinds(payment)] == ["Payment", "Dispute", "Dispute won"]
        assert sum(row.net for row in Earning.objects.all()) == 386_00

    def test_after_the_payout_are_carried_into_the_next(self, cast):
        put_on_tier(cast)
        payment = sell(cast, 400_00)
        close(week(1))

        claim_back(payment, at=week(1))
        close(week(2))

        states = list(Payout.objects.order_by("period_start").values_list("state", "amount"))
        assert states == [("AVAILABLE", 386_00), ("CARRIED", -386_00)]
        assert_books_agree()


class TestShares:
    """Bluebird brought the Sub-Org that disputes: Northwind bears the share of its base."""

    @pytest.fixture
    def payment(self, cast):
        give(cast.northwind, 33_33, 12)
        put_on_tier(cast, 17_77)
        connection = bring_sub_org(cast.bluebird, cast.northwind)
        subscribe(connection, cast.growth)
        return pay_owed(connection)[-1]

    def left(self) -> tuple[int, int, int, int]:
        sums = Earning.objects.sums()
        assert AffiliateShare.objects.total() == sums.affiliate
        return sums[:4]

    def test_go_back_and_come_again(self, cast, payment):
        collect_earnings()
        whole = self.left()
        begun = claim_back(payment, at=week(1))
        collect_earnings()
        assert self.left() == (0, 0, 0, 0)

        decide(begun, WON, week(2))
        collect_earnings()

        assert self.left() == whole
        rows = AffiliateShare.objects.order_by("earned_at")
        assert [row.kind for row in rows] == ["Payment", "Dispute", "Dispute won"]
        assert_books_agree()

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_are_whole_again_whatever_is_won_first(self, cast, payment, order):
        """Three disputes of odd amounts overlap; each cent of fee and share returns."""
        collect_earnings()
        whole = self.left()
        begun = [claim_back(payment, minor, at=week(1)) for minor in (1, 33_33, 50_01)]
        collect_earnings()
        for number, index in enumerate(order):
            decide(begun[index], WON, week(2) + number * MINUTE)
            collect_earnings()
            assert_books_agree()

        assert self.left() == whole

    @pytest.mark.parametrize("end", [WON, LOST])
    def test_leave_no_cent_when_the_rest_goes_back_too(self, cast, payment, end):
        first = claim_back(payment, 33_33, at=week(1))
        second = claim_back(payment, 7, at=week(1))
        decide(first, end, week(2))
        decide(second, LOST, week(2))
        rest = claim_back(payment, at=week(3))
        decide(rest, LOST, week(4))
        collect_earnings()

        assert self.left() == (0, 0, 0, 0)
        assert_books_agree()

    def test_that_revampd_bears_do_the_same(self, cast):
        give(cast.revampd, 33_33, 12)
        connection = bring_partner(cast.northwind)
        subscribe(connection, tier(cast))
        payment = pay_owed(connection)[-1]
        begun = claim_back(payment, 33_01, at=NOW + MINUTE)
        collect_shares()
        assert AffiliateShare.objects.count() == 2

        decide(begun, WON, week(1))
        collect_shares()

        amounts = AffiliateShare.objects.order_by("earned_at").values_list("amount", flat=True)
        assert list(amounts) == [32_33, -11_00, 11_00]
        assert_books_agree()


class TestRefunds:
    def test_beside_a_dispute_leave_what_the_rate_says(self, cast):
        put_on_tier(cast, 17_77)
        payment = sell(cast, 99_99)
        take_back(payment, 11_11)
        begun = claim_back(payment, 33_33, at=week(1))
        decide(begun, WON, week(2))
        take_back(payment, 1, at=week(3))
        collect_earnings()

        left = Earning.objects.sums()
        assert left.gross == 99_99 - 11_12
        assert left.fee == (99_99 * 17_77 + 5000) // 10000 - (11_12 * 17_77 + 5000) // 10000
        assert_books_agree()
