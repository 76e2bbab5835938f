"""What a referral earns: of the base subscription alone, at the frozen terms, for its months."""

from datetime import date, timedelta

import pytest

from billing.models import AddOn, Credit, CreditNote, Invoice, OneTimeCharge
from billing.refunding import settle_refunds
from connections.models import Event
from payouts import harvest
from payouts.affiliates.freezing import freeze_referrals
from payouts.affiliates.sharing import collect_shares
from payouts.harvest import collect_earnings
from payouts.models import AffiliateShare, Earning
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree
from tests.payouts.acts import NOW, charge, parts, put_on_tier, take_back

from .acts import (
    BASIC,
    bill,
    bring_partner,
    bring_sub_org,
    brought,
    give,
    month,
    pay_owed,
    subscribe,
    tier,
)

DAY = timedelta(days=1)


def collect() -> list[tuple[int, int, int]]:
    """The base, fee and amount of each share, the oldest first."""
    collect_earnings()
    collect_shares()
    rows = AffiliateShare.objects.order_by("earned_at", "id")
    return list(rows.values_list("base", "fee", "amount"))


class TestFreeze:
    def test_keeps_the_terms_of_the_day_of_the_first_approved_plan(self, cast):
        give(cast.revampd, 20_00, 12)
        connection = bring_partner(cast.northwind)
        subscribe(connection, tier(cast), at=NOW + DAY)
        give(cast.revampd, 5_00, 1, at=NOW + 2 * DAY)

        freeze_referrals()

        referral = brought(connection)
        assert (referral.rate, referral.terms.months) == (20_00, 12)
        assert (referral.starts_on, referral.ends_on) == (date(2026, 11, 11), date(2027, 11, 11))
        assert referral.request.item_name == "Tier for 9700"

    @pytest.mark.parametrize(
        ("decided", "months", "until"),
        [
            (month(2, 31), 1, date(2027, 2, 28)),
            (month(2, 31), 2, date(2027, 3, 31)),
            (month(2, 31), 13, date(2028, 2, 29)),
            (month(0), None, None),
        ],
    )
    def test_counts_months_from_the_day_itself(self, cast, decided, months, until):
        give(cast.revampd, 20_00, months)
        connection = bring_partner(cast.northwind)
        subscribe(connection, tier(cast), at=decided)

        freeze_referrals()

        assert brought(connection).ends_on == until

    def test_happens_once(self, cast):
        give(cast.revampd, 20_00, 12)
        subscribe(bring_partner(cast.northwind), tier(cast))

        assert (freeze_referrals(), freeze_referrals()) == (1, 0)
        assert Event.objects.filter(code="referral.frozen").count() == 1

    def test_without_terms_earns_nothing_ever(self, cast):
        connection = bring_partner(cast.northwind)
        subscribe(connection, tier(cast))
        pay_owed(connection)
        give(cast.revampd, 20_00, 12, at=NOW + DAY)

        assert collect() == []
        assert (brought(connection).rate, brought(connection).terms) == (0, None)

    def test_refuses_companies_of_the_same_people(self, cast):
        give(cast.revampd, 20_00, 12)
        connection = bring_partner(cast.northwind)
        connection.customer.admit(cast.noah, role="BILLING", by=None)
        subscribe(connection, tier(cast))
        pay_owed(connection)

        assert collect() == []
        assert "same people" in brought(connection).refusal

    def test_waits_for_a_plan(self, cast):
        give(cast.northwind, 20_00, 12)
        put_on_tier(cast)
        connection = bring_sub_org(cast.bluebird, cast.northwind)
        charge(cast, 50_00, connection=connection)
        pay_owed(connection)

        assert collect() == []
        assert Earning.objects.get().affiliate == 0
        assert brought(connection).frozen_at is None


class TestOfPartner:
    @pytest.fixture
    def connection(self, cast):
        give(cast.revampd, 20_00, 2)
        return bring_partner(cast.northwind)

    def test_is_borne_by_revampd(self, cast, connection):
        subscribe(connection, tier(cast))
        pay_owed(connection)

        assert collect() == [(97_00, 0, 19_40)]
        share = AffiliateShare.objects.get()
        assert (share.account, share.earning) == (cast.revampd_northwind, None)
        assert not Earning.objects.exists()
        assert_books_agree()

    def test_leaves_add_ons_charges_and_credits_out(self, cast, connection):
        subscribe(connection, tier(cast))
        numbers = AddOn.offer(provider=cast.revampd, by=cast.rhea, name="Number", unit_price=30_00)
        pay_owed(connection)
        charge(cast, 250_00, connection=connection)
        subscribe(connection, numbers)
        pay_owed(connection)
        connection.refresh_from_db()
        bill(connection, month(1, 11))

        # The second month: $97.00 of $157.00, of which both months of numbers are the rest.
        assert [amount for _, _, amount in collect()] == [19_40, 19_40]
        assert_books_agree()

    def test_is_of_what_a_card_paid(self, cast, connection):
        subscribe(connection, tier(cast))
        Credit.adjust(connection, 47_00, reason="Welcome", by=cast.rhea, at=NOW)
        pay_owed(connection)

        assert collect() == [(50_00, 0, 10_00)]

    def test_ends_after_its_months(self, cast, connection):
        subscribe(connection, tier(cast))
        pay_owed(connection)
        for number in (1, 2, 3):
            bill(connection, month(number))

        assert [amount for _, _, amount in collect()] == [19_40, 19_40]
        assert brought(connection).has_ended(date(2027, 1, 10))
        assert_books_agree()

    def test_counts_by_the_day_of_the_payment(self, cast, connection):
        subscribe(connection, tier(cast))

        pay_owed(connection, at=month(2) - DAY)
        assert collect() == [(97_00, 0, 19_40)]
        bill(connection, month(2))
        assert len(collect()) == 1

    def test_of_a_lifetime_never_ends(self, cast):
        give(cast.revampd, 10_00, None, at=NOW)
        connection = bring_partner(cast.contoso)
        subscribe(connection, tier(cast), at=NOW + DAY)
        pay_owed(connection, at=NOW + DAY)
        bill(connection, month(14, 12))

        assert sum(amount for _, _, amount in collect()) == 15 * 9_70

    def test_goes_back_with_what_is_refunded(self, cast, connection):
        subscribe(connection, tier(cast))
        [payment] = pay_owed(connection)
        collect()
        give(cast.revampd, 90_00, None, at=NOW)
        take_back(payment, 50_00, at=month(5))
        take_back(payment, 47_00, at=month(6))

        assert collect() == [(97_00, 0, 19_40), (-50_00, 0, -10_00), (-47_00, 0, -9_40)]
        assert_books_agree()

    def test_is_collected_once_by_several_at_once(self, committed_cast):
        cast = committed_cast
        give(cast.revampd, 20_00, 12)
        connection = bring_partner(cast.northwind)
        subscribe(connection, tier(cast))
        [payment] = pay_owed(connection)
        take_back(payment, 10_00)
        take_back(payment, 20_01)

        at_once(*[lambda: (collect_earnings(), collect_shares())] * 8)

        rows = AffiliateShare.objects.values_list("amount", flat=True)
        assert sorted(rows) == [-4_00, -2_00, 19_40]
        assert_books_agree()


class TestOfSubOrg:
    @pytest.fixture
    def connection(self, cast):
        give(cast.northwind, 10_00, 12)
        put_on_tier(cast, 3_50)
        return bring_sub_org(cast.bluebird, cast.northwind)

    def test_is_taken_out_of_the_partners_earning(self, cast, connection):
        subscribe(connection, cast.growth)
        pay_owed(connection)

        assert collect() == [(BASIC, 5_22, 14_38)]
        earning = Earning.objects.get()
        assert parts(earning) == (BASIC, 5_22, 14_38, 129_40)
        share = AffiliateShare.objects.get()
        assert (share.earning, share.account) == (earning, cast.revampd_bluebird)
        assert_books_agree()

    def test_leaves_one_time_charges_out(self, cast, connection):
        subscribe(connection, cast.growth)
        setup = OneTimeCharge.objects.get(pk=cast.setup.pk)
        subscribe(connection, setup)
        pay_owed(connection)

        assert collect() == [(BASIC, 5_22, 14_38)]
        assert sorted(Earning.objects.values_list("affiliate", flat=True)) == [0, 14_38]

    def both(self, cast, connection):
        """One invoice over the plan and an add-on, paid."""
        subscribe(connection, cast.growth)
        numbers = AddOn.offer(
            provider=cast.northwind, by=cast.maya, name="Numbers", unit_price=51_00
        )
        pay_owed(connection)
        subscribe(connection, numbers)
        pay_owed(connection)
        payment = bill(connection, month(1))[-1]
        assert payment.amount == BASIC + 2 * 51_00
        collect()
        return payment

    def test_of_a_mixed_invoice_is_of_its_base(self, cast, connection):
        payment = self.both(cast, connection)

        earning = Earning.objects.get(payment=payment)
        assert (earning.base, earning.affiliate) == (BASIC, 14_38)
        assert earning.net == payment.amount - earning.fee - 14_38

    def test_stays_when_an_add_on_is_refunded(self, cast, connection):
        payment = self.both(cast, connection)

        invoice = Invoice.objects.get(pk=payment.invoice_id)
        add_on = invoice.lines.filter(kind="ADD_ON").earliest("position")
        CreditNote.issue(
            invoice, {add_on.pk: 51_00}, reason="Not delivered", by=cast.maya, at=month(1)
        )
        settle_refunds(at=month(1))
        collect()

        back = Earning.objects.get(payment=payment, refund__isnull=False)
        assert (back.base, back.affiliate, back.gross) == (0, 0, -51_00)
        assert_books_agree()

    def test_goes_back_with_the_base_and_leaves_nothing_behind(self, cast, connection):
        payment = self.both(cast, connection)
        invoice = Invoice.objects.get(pk=payment.invoice_id)
        lines = {line.pk: line.amount for line in invoice.lines.all()}
        plan = invoice.lines.get(kind="PLAN").pk
        notes = [{plan: 33_33}, {plan: 66_67}, {**lines, plan: lines[plan] - 100_00}]

        for amounts in notes:
            CreditNote.issue(invoice, amounts, reason="A mistake", by=cast.maya, at=month(1))
            settle_refunds(at=month(1))
            collect()

        rows = Earning.objects.filter(payment=payment)
        sums = rows.sums()
        assert (sums.gross, sums.fee, sums.affiliate, sums.net) == (0, 0, 0, 0)
        shares = AffiliateShare.objects.filter(payment=payment)
        assert shares.total() == 0
        assert_books_agree()

    def test_of_a_payment_that_comes_before_the_freeze_is_not_lost(self, cast, connection):
        subscribe(connection, cast.growth)
        pay_owed(connection)
        # As if the plan had been approved after the freezing and before the pulling.
        accounts = [cast.revampd_northwind.pk]
        assert harvest._collect(harvest.PAYMENTS, accounts) == 0

        assert collect() == [(BASIC, 5_22, 14_38)]
