"""Settling a payout: to the wallet, to the bank or both, exactly and once."""

from datetime import timedelta

import pytest

from billing.models import Credit, Transfer
from billing.models.ledger import Account
from connections.models import Event
from payouts.models import BankTransfer, Payout, Preference, SandboxTransfer, Settlement
from payouts.models.accounts import NoBankAccount
from payouts.models.payouts import NotAvailable
from payouts.sending import send_transfers
from revampd.kit.errors import Invalid, NotAllowed
from tests.billing.payments.acts import fresh
from tests.billing.payments.test_races import at_once
from tests.books import assert_books_agree
from tests.cast import person

from .acts import NOW, WEEK, close, link_bank, paid_out, put_on_tier, sell, take_back, week

State = Payout.State
LATER = NOW + WEEK


def payable(cast) -> int:
    ledger = Transfer.objects.filter(connection=cast.revampd_northwind)
    return -ledger.balance(Account.PAYABLE, "USD").minor


class TestSettle:
    def test_to_the_wallet_makes_a_lot_that_names_the_payout(self, cast):
        payout = paid_out(cast)

        settlement = payout.settle(credit=100_00, transfer=0, by=cast.noah, at=LATER)

        credit = cast.revampd_northwind.credits.get()
        assert settlement.credit == credit
        assert (credit.amount, credit.origin) == (100_00, Credit.Origin.PAYOUT)
        assert credit.reason == "Partner payout, week of 9 Nov 2026"
        assert (payout.state, payout.credited, payout.banked) == (State.SETTLED, 100_00, 0)
        assert payable(cast) == 0
        assert_books_agree()

    def test_to_the_bank_is_in_transit_first(self, cast):
        account = link_bank(cast)
        payout = paid_out(cast)

        payout.settle(credit=0, transfer=100_00, by=cast.maya, at=LATER)

        transfer = BankTransfer.objects.get()
        assert (transfer.amount, transfer.account) == (100_00, account)
        assert transfer.state == BankTransfer.State.INTENT
        assert (payout.state, payout.banked) == (State.IN_TRANSIT, 100_00)
        assert payable(cast) == 0
        assert_books_agree()

    def test_splits_to_the_cent(self, cast):
        link_bank(cast)
        put_on_tier(cast)
        payout = paid_out(cast, 99_99)
        assert payout.amount == 96_49

        payout.settle(credit=33_33, transfer=63_16, by=cast.noah, at=LATER)

        assert (payout.credited, payout.banked) == (33_33, 63_16)
        assert Settlement.objects.get().in_words == "$33.33 to the wallet and $63.16 to the bank"
        assert Event.objects.filter(code="payout.settled").count() == 1
        assert_books_agree()

    @pytest.mark.parametrize(
        ("credit", "transfer", "field"),
        [
            (60_00, 39_99, "transfer"),
            (60_00, 40_01, "transfer"),
            (0, 0, "transfer"),
            (-1, 100_01, "credit"),
            (100_01, -1, "transfer"),
        ],
    )
    def test_refuses_parts_that_are_not_the_whole(self, cast, credit, transfer, field):
        link_bank(cast)
        payout = paid_out(cast)

        with pytest.raises(Invalid) as refusal:
            payout.settle(credit=credit, transfer=transfer, by=cast.noah, at=LATER)

        assert refusal.value.field == field
        assert fresh(payout).state == State.AVAILABLE
        assert not Credit.objects.exists()

    def test_happens_once(self, cast):
        payout = paid_out(cast)
        payout.settle(credit=100_00, transfer=0, by=cast.noah, at=LATER)

        with pytest.raises(NotAvailable, match="Noah Tester settled the week of 9 Nov 2026"):
            payout.settle(credit=100_00, transfer=0, by=cast.maya, at=LATER)

        assert Credit.objects.count() == 1

    def test_has_nothing_to_do_with_what_is_carried_over(self, cast):
        payment = sell(cast, 100_00)
        close(week(1))
        take_back(payment, 100_00, at=week(1))
        _, below = close(week(2))

        with pytest.raises(NotAvailable, match="nothing to settle"):
            below.settle(credit=0, transfer=0, by=cast.noah, at=week(2))

    def test_offers_only_the_wallet_without_a_bank_account(self, cast):
        payout = paid_out(cast)

        with pytest.raises(NoBankAccount, match="No bank account is linked"):
            payout.settle(credit=0, transfer=100_00, by=cast.noah, at=LATER)

        assert fresh(payout).left == 100_00

    def test_sends_nothing_to_an_account_that_has_just_changed(self, cast):
        link_bank(cast, "later", at=NOW)
        link_bank(cast, "at_once", at=LATER)
        payout = paid_out(cast)

        with pytest.raises(NoBankAccount, match="Transfers to it wait until 20 Nov 2026"):
            payout.settle(credit=0, transfer=100_00, by=cast.noah, at=LATER)
        payout.settle(
            credit=0, transfer=100_00, by=cast.noah, at=LATER + timedelta(days=3, seconds=1)
        )

    @pytest.mark.parametrize("days", [0, 1, 10])
    def test_waits_as_long_as_the_settings_say(self, cast, settings, days):
        settings.PAYOUT_HOLD_DAYS = days
        link_bank(cast, "later", at=NOW)
        link_bank(cast, "at_once", at=LATER)
        payout, end = paid_out(cast), LATER + timedelta(days=days)
        whole = {"credit": 0, "transfer": 100_00, "by": cast.noah}

        if days:
            with pytest.raises(NoBankAccount, match="Transfers to it wait until"):
                payout.settle(**whole, at=end - timedelta(seconds=1))

        assert payout.settle(**whole, at=end).banked == 100_00

    @pytest.mark.parametrize("who", ["dana", "vera", "ben", "rhea", "oscar"])
    def test_is_for_owners_and_billing_of_the_partner(self, cast, who):
        payout = paid_out(cast)

        with pytest.raises(NotAllowed):
            payout.settle(credit=100_00, transfer=0, by=getattr(cast, who), at=LATER)

    def test_pays_the_next_invoice_of_revampd(self, cast):
        put_on_tier(cast, at=NOW)
        owed = cast.revampd_northwind.invoices.get()
        payout = paid_out(cast, 200_00)
        payout.settle(credit=payout.left, transfer=0, by=cast.noah, at=LATER)

        owed.hold()
        owed.take_credit(at=LATER)

        assert owed.state == owed.State.PAID
        assert_books_agree()

    def test_by_twenty_at_once_in_different_ways_is_one_settlement(self, committed_cast):
        link_bank(committed_cast, "at_once")
        payout = paid_out(committed_cast)
        people = [person(f"Clerk{number}") for number in range(20)]
        for one in people:
            committed_cast.northwind.admit(one, role="BILLING", by=None)

        def press(number: int):
            """All to the bank, all to the wallet, and eighteen splits."""
            credit = number * 100_00 // 19
            return lambda: Payout.objects.get(pk=payout.pk).settle(
                credit=credit, transfer=100_00 - credit, by=people[number], at=LATER
            )

        answers = at_once(*map(press, range(20)))

        assert len([one for one in answers if isinstance(one, Settlement)]) == 1
        assert len([one for one in answers if isinstance(one, NotAvailable)]) == 19
        [settlement] = Settlement.objects.all()
        assert settlement.credited + settlement.banked == 100_00
        assert Credit.objects.count() == int(settlement.credited > 0)
        send_transfers(at=LATER)
        assert sum(SandboxTransfer.objects.values_list("amount", flat=True)) == settlement.banked
        assert fresh(payout).state == State.SETTLED
        assert_books_agree()

    def test_against_the_standing_preference_is_one_settlement(self, committed_cast):
        cast = committed_cast
        Preference.choose(
            cast.revampd_northwind, Preference.Kind.CREDIT, by=cast.noah, at=NOW - WEEK
        )
        sell(cast, 100_00)

        def press():
            payout = cast.revampd_northwind.payouts.available().first()
            return payout and payout.settle(credit=100_00, transfer=0, by=cast.maya, at=LATER)

        at_once(*[lambda: close(LATER), press, press] * 2)
        close(LATER)

        assert Settlement.objects.count() == 1
        assert_books_agree()


class TestPreference:
    def test_divides_to_the_cent(self, cast):
        chosen = Preference.choose(
            cast.revampd_northwind,
            Preference.Kind.SPLIT,
            credit_percent=33,
            by=cast.noah,
            at=NOW,
        )

        assert chosen.parts(100_01) == (33_00, 67_01)

    @pytest.mark.parametrize("percent", [None, 0, 100, 101, -1])
    def test_refuses_a_percentage_that_is_no_split(self, cast, percent):
        with pytest.raises(Invalid, match="from 1 to 99"):
            Preference.choose(
                cast.revampd_northwind,
                Preference.Kind.SPLIT,
                credit_percent=percent,
                by=cast.noah,
                at=NOW,
            )

    def test_is_for_owners_and_billing_of_the_partner(self, cast):
        for who in (cast.dana, cast.rhea):
            with pytest.raises(NotAllowed):
                Preference.choose(cast.revampd_northwind, Preference.Kind.CREDIT, by=who, at=NOW)

    def test_sends_what_it_settled(self, cast):
        link_bank(cast, "at_once")
        Preference.choose(cast.revampd_northwind, Preference.Kind.TRANSFER, by=cast.noah, at=NOW)
        sell(cast, 100_00)
        [payout] = close(LATER)

        assert send_transfers(at=LATER) == 1

        assert fresh(payout).state == State.SETTLED
        assert_books_agree()
