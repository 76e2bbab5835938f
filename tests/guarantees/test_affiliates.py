"""What PostgreSQL refuses of referrals, shares and affiliate payouts, whatever the app does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from billing.models import Credit, Payment
from connections.models import Membership, User
from payouts.models import AffiliatePayout, AffiliateShare, Earning, Referral, ReferralTerms
from tests.cast import Cast, person
from tests.guarantees.statements import NOT_ALLOWED, copy, copy_refused, refused
from tests.payouts.acts import NOW, charge, put_on_tier, take_back
from tests.payouts.affiliates.acts import (
    bring_partner,
    bring_sub_org,
    brought,
    close,
    give,
    month,
    pay_owed,
    subscribe,
    tier,
)

NOBODY = "nobody brings themselves"


@dataclass
class Earned:
    """Northwind brought Ada, a Partner, and Bluebird brought Bea, a Sub-Org; both paid."""

    terms: ReferralTerms
    referral: Referral  # Ada
    waiting: Referral  # Carl, who has no plan yet
    share: AffiliateShare
    back: AffiliateShare
    earning: Earning  # of Bea's payment
    taken: AffiliateShare  # out of it
    pending: AffiliatePayout  # Northwind's
    spare: Payment  # of Ada, for what no share is given


@pytest.fixture
def earned(cast: Cast) -> Iterator[Earned]:
    terms = give(cast.revampd, 20_00, 12)
    give(cast.northwind, 10_00, 1)
    put_on_tier(cast)
    ada = bring_partner(cast.northwind)
    bea = bring_sub_org(cast.bluebird, cast.northwind, "Bea")
    carl = bring_partner(cast.contoso, "Carl")
    subscribe(ada, tier(cast))
    subscribe(bea, cast.growth)
    [payment] = pay_owed(ada)
    pay_owed(bea)
    take_back(payment, 10_00)
    charge(cast, 50_00, connection=ada)
    [spare] = pay_owed(ada)
    close(month(1, 1))
    shares = AffiliateShare.objects.filter(referral__connection=ada)
    earned = Earned(
        terms=terms,
        referral=brought(ada),
        waiting=brought(carl),
        share=shares.get(refund=None),
        back=shares.get(refund__isnull=False),
        earning=Earning.objects.get(referral__isnull=False),
        taken=AffiliateShare.objects.get(earning__isnull=False),
        pending=AffiliatePayout.objects.get(connection=cast.revampd_northwind),
        spare=spare,
    )
    savepoint = transaction.savepoint()
    yield earned
    transaction.savepoint_rollback(savepoint)


class TestTerms:
    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"rate": 101_00}, "referral_terms_percent"),
            ({"rate": -1}, "rate_check"),
            ({"months": 0}, "referral_terms_months"),
            ({"months": -12}, "months_check"),
            ({"set_at": NOW - timedelta(days=999)}, "never for days that have passed"),
        ],
    )
    def test_are_within_bounds_and_from_now_on(self, earned, change, rule):
        columns = {"set_at": month(2)} | change
        copy_refused(earned.terms, **columns, by=rule)

    def test_never_change(self, earned):
        refused("UPDATE payouts_referralterms SET rate = 1", by=NOT_ALLOWED)


class TestReferral:
    def begun(self, earned: Earned, **changes: Any) -> dict[str, Any]:
        zoe = User.objects.filter(name="Zoe Tester").first() or person("Zoe")
        return {"brought_by_id": zoe.pk} | changes

    def test_is_one_an_organization(self, earned):
        copy_refused(earned.waiting, **self.begun(earned), by="connection_id")

    def test_brings_neither_the_same_people_nor_in_a_circle(self, earned, cast):
        free = Membership.objects.filter(organization=earned.waiting.referred)
        own = {"referrer_id": earned.waiting.referred_id}
        copy_refused(earned.waiting, **self.begun(earned, **own), by=NOBODY)
        copy_refused(earned.waiting, **self.begun(earned, brought_by_id=cast.oscar.pk), by=NOBODY)
        free.create(
            organization=earned.waiting.referred, user=cast.oscar, role="VIEWER", joined_at=NOW
        )
        copy_refused(earned.waiting, **self.begun(earned), by=NOBODY)

    def test_begins_before_anything_is_earned(self, earned):
        copy_refused(earned.referral, **self.begun(earned), by="begins before anything is earned")

    def test_is_frozen_once_and_at_its_terms(self, earned):
        statement = "UPDATE payouts_referral SET rate = 9000 WHERE id = %s"
        refused(statement, earned.referral.pk, by="frozen once, and never changes")
        refused(statement, earned.waiting.pk, by="frozen once, and never changes")
        frozen = (
            "UPDATE payouts_referral SET frozen_at = now(), request_id = %s, terms_id = %s,"
            " rate = %s, starts_on = %s, ends_on = %s WHERE id = %s"
        )
        request, terms, day = earned.referral.request_id, earned.terms.pk, date(2026, 11, 10)
        whole = (request, terms, 20_00, day, date(2027, 11, 10), earned.waiting.pk)
        refused(frozen, *whole, by="referral_authority")
        refused(frozen, request, terms, 20_00, day, None, whole[-1], by="months of its terms")

    def test_stays(self, earned):
        refused("DELETE FROM payouts_referral", by=NOT_ALLOWED)


class TestShare:
    def test_is_one_a_payment_and_one_a_refund(self, earned):
        copy_refused(earned.share, payout_id=None, by="share_once_a_payment")
        copy_refused(earned.back, payout_id=None, by="share_once_a_refund")

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"rate": 90_00}, "share_at_rate"),
            ({"amount": 97_01}, "share_sign"),
            ({"amount": -1}, "share_sign"),
            ({"earned_on": date(2027, 11, 10)}, "earns for its months"),
            ({"earned_on": date(2026, 11, 9)}, "earns for its months"),
        ],
    )
    def test_is_at_the_frozen_terms(self, earned, change, rule):
        columns = {"payout_id": None, "payment_id": earned.spare.pk} | change
        copy_refused(earned.share, **columns, by=rule)

    def test_goes_to_the_account_of_the_referrer(self, earned, cast):
        other = {"payout_id": None, "account_id": cast.revampd_bluebird.pk}
        copy_refused(earned.share, **other, by="share_")

    def test_is_what_the_earning_gave_up(self, earned):
        refused(
            "UPDATE payouts_affiliateshare SET amount = amount + 1 WHERE id = %s",
            earned.taken.pk,
            by=NOT_ALLOWED,
        )
        nobodys = {"payout_id": None, "earning_id": None, "bearer_id": None}
        copy_refused(earned.taken, **nobodys, fee_rate=0, fee=0, by="share_once_a_payment")

    def test_joins_a_payout_once(self, earned):
        statement = "UPDATE payouts_affiliateshare SET payout_id = NULL WHERE id = %s"
        refused(statement, earned.share.pk, by="only joins a payout, once")


class TestEarning:
    def test_gives_nothing_up_without_a_referral(self, earned):
        gift = {"payout_id": None, "referral_id": None}
        copy_refused(earned.earning, **gift, by="earning_share_referred")

    def test_gives_up_at_the_frozen_rate(self, earned):
        dearer = {"payout_id": None, "affiliate_rate": 90_00}
        copy_refused(earned.earning, **dearer, by="earning_")


class TestPayout:
    def lot(self, connection: Any, minor: int, origin: str = "AFFILIATE") -> Any:
        return Credit.objects.create(
            connection=connection, origin=origin, amount=minor, reason="Gift", issued_at=NOW
        ).pk

    @pytest.mark.parametrize(
        "change",
        ["earned = earned + 1", "state = 'APPLIED'", "state = 'OPEN'", "state = 'CARRIED'"],
    )
    def test_is_changed_by_nothing_but_its_credit(self, earned, change):
        statement = f"UPDATE payouts_affiliatepayout SET {change} WHERE id = %s"
        refused(statement, earned.pending.pk, by="affiliate")

    def test_goes_into_its_own_wallet_whole(self, earned, cast):
        statement = (
            "UPDATE payouts_affiliatepayout SET state = 'APPLIED', applied_at = now(),"
            " credit_id = %s WHERE id = %s"
        )
        whole, own = earned.pending.amount, cast.revampd_northwind
        for lot, rule in (
            (self.lot(own, whole + 1), "puts its own amount"),
            (self.lot(own, whole, "ADJUSTMENT"), "puts its own amount"),
            (self.lot(cast.revampd_bluebird, whole), "affiliate_payout_to_own_wallet"),
        ):
            refused(statement, lot, earned.pending.pk, by=rule)

    def test_begins_empty_and_once_a_period(self, earned):
        copy_refused(earned.pending, by="begins empty")
        empty = {"state": "OPEN", "earned": 0}
        copy_refused(earned.pending, **empty, by="affiliate_payout_")
        copy(earned.pending, **empty, period_start=date(2028, 1, 1), period_end=date(2028, 2, 1))
