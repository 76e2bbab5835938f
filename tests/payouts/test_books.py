"""The books of payouts: they agree, and each planted fault is found and named."""

import re
from datetime import timedelta

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from billing.books import compare, differences, totals
from billing.books.equations import WALLETS
from billing.models import Credit
from payouts.books import INVOICES, PAYOUTS
from payouts.models import BankTransfer
from payouts.sending import resolve_transfer, send_transfers
from tests.cast import Cast

from .acts import NOW, WEEK, close, link_bank, paid_out, put_on_tier, sell, take_back, week
from .affiliates.acts import bring_sub_org, give, pay_owed, subscribe

LATER = NOW + WEEK
EARNING = "UPDATE payouts_earning SET"
OF_PAYMENT = " WHERE reverses_id IS NULL"


@pytest.fixture
def lived(committed_cast: Cast) -> Cast:
    """Two weeks: a refund after the first payout, a split, a transfer that arrived."""
    cast = committed_cast
    put_on_tier(cast)
    link_bank(cast, "at_once")
    payment = sell(cast, 100_00)
    sell(cast, 50_00, connection=cast.contoso_fabrikam)
    close(LATER)
    first = cast.revampd_northwind.payouts.get()
    first.settle(credit=6_50, transfer=90_00, by=cast.noah, at=LATER)
    send_transfers(at=LATER)
    take_back(payment, 40_00, at=LATER)
    sell(cast, 200_00, at=LATER)
    close(week(2))
    assert differences() == []
    return cast


def plant(statement: str) -> None:
    """Do as the owner of the schema what the rules forbid."""
    owner = connections["owner"]
    names = [trigger.get_pgid(model) for model, trigger in pgtrigger.registered()]
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', %s, false)", ["{" + ",".join(names) + "}"]
        )
        cursor.execute(statement)
        cursor.execute("SELECT set_config('pgtrigger.ignore', '', false)")
    owner.close()


class TestEquations:
    """Of every invoice, payout and wallet, both sides; the first that differs is named."""

    @pytest.fixture
    def lived(self, committed_cast: Cast) -> Cast:
        """A share of a referral, a refund, a split whose transfer failed, credit that is used."""
        cast = committed_cast
        give(cast.northwind, 10_00, 12)
        put_on_tier(cast)
        link_bank(cast, "refused")
        brought = bring_sub_org(cast.bluebird, cast.northwind)
        subscribe(brought, cast.growth)
        [payment] = pay_owed(brought)
        take_back(payment, 20_00)
        [payout] = close(LATER)
        payout.settle(credit=50_00, transfer=payout.left - 50_00, by=cast.noah, at=LATER)
        send_transfers(at=LATER)
        left = cast.revampd_northwind.payouts.get().left
        link_bank(cast, "later", at=LATER)
        free = LATER + timedelta(days=4)
        payout.settle(credit=10_00, transfer=left - 10_00, by=cast.noah, at=free)
        send_transfers(at=free)
        [owed] = cast.revampd_northwind.invoices.all()
        with transaction.atomic():
            owed.hold()
            owed.take_credit(at=free)
        assert differences() == []
        return cast

    COLLECTED = (
        "Northwind Agency → Ada & Co: What was collected of INV-00001 is {}, but the Partners’ "
        "shares, the transaction fees, the affiliate shares, refunds, disputes that are open or "
        "lost and what is not shared out yet come to {}."
    )
    EARNED = (
        "Revampd → Northwind Agency: The payout of 9 Nov 2026 is {}, but credits in wallets, "
        "transfers to banks, carried into the week after and what is not settled yet come to {}."
    )
    WALLET = (
        "Revampd → Northwind Agency: The wallet is {}, but the balance by the ledger comes to {}."
    )

    @pytest.mark.parametrize(
        ("equation", "fault", "sentence"),
        [
            (INVOICES, f"{EARNING} gross = gross + 1, net = net + 1{OF_PAYMENT}", COLLECTED),
            (INVOICES, f"{EARNING} gross = gross + 1, fee = fee + 1{OF_PAYMENT}", COLLECTED),
            (
                INVOICES,
                f"{EARNING} gross = gross + 1, affiliate = affiliate + 1{OF_PAYMENT}",
                COLLECTED,
            ),
            (INVOICES, "UPDATE billing_payment SET amount = amount - 1", COLLECTED),
            (INVOICES, "UPDATE billing_refund SET amount = amount + 1", COLLECTED),
            (PAYOUTS, f"{EARNING} gross = gross + 1, net = net + 1{OF_PAYMENT}", EARNED),
            (PAYOUTS, "UPDATE payouts_settlement SET credited = credited + 1", EARNED),
            (
                PAYOUTS,
                "UPDATE payouts_banktransfer SET state = 'FAILED', settled_at = now()"
                " WHERE state = 'PROCESSING'",
                EARNED,
            ),
            (
                PAYOUTS,
                "UPDATE payouts_payout SET credited = credited - 1, state = 'AVAILABLE'",
                EARNED,
            ),
            (WALLETS, "UPDATE billing_credit SET amount = amount + 1 WHERE amount = 1000", WALLET),
            (WALLETS, "UPDATE billing_creditapplication SET returned = 1", WALLET),
            (WALLETS, "DELETE FROM billing_transfer WHERE kind = 'PAYOUT_CREDITED'", WALLET),
        ],
    )
    def test_are_seen_not_to_hold(self, lived, equation, fault, sentence):
        assert compare(equation.comparison) == []
        plant(fault)

        [found] = compare(equation.comparison)

        amount = r"−?\$[\d.]+"
        assert re.fullmatch(re.escape(sentence).replace(r"\{\}", amount), found.sentence), found

    def test_add_up_what_there_is(self, lived):
        sums = {
            found["title"]: {name: minor for name, minor in found["left"] + found["right"] if minor}
            for found in totals()
        }

        assert sums == {
            INVOICES.title: {
                "Collected by card": 149_00,
                "The Partners’ shares": 112_03,
                "The transaction fees": 4_52,
                "The affiliate shares": 12_45,
                "Refunds": 20_00,
            },
            PAYOUTS.title: {
                "Earnings": 112_03,
                "Credits in wallets": 60_00,
                "Transfers to banks": 52_03,
            },
            WALLETS.title: {"Credits granted": 60_00, "Used on invoices or taken out": -60_00},
        }

    def test_say_by_how_much(self, lived):
        plant(f"{EARNING} gross = gross + 1, affiliate = affiliate + 1{OF_PAYMENT}")

        [found] = compare(INVOICES.comparison)

        assert found.sentence == self.COLLECTED.format("$149.00", "$149.01")

    def test_name_the_first_difference(self, lived):
        plant("UPDATE payouts_settlement SET credited = credited + 1 WHERE credited = 1000")

        with pytest.raises(CommandError) as failure:
            call_command("verify_books")

        first, *_ = str(failure.value).splitlines()
        assert first == (
            "Revampd → Northwind Agency: What was credited of the payout of 9 Nov 2026 is $60.00,"
            " but its rows come to $60.01."
        )


class TestFaults:
    def test_are_found_in_the_ledger(self, lived):
        plant("UPDATE billing_transfer SET amount = amount + 1 WHERE kind = 'EARNED'")

        found = [one for one in differences() if lived.northwind.name in one]

        assert found[0].endswith(
            "Earning of INV-00001 is $96.50 by its document, $96.51 in the ledger."
        )
        assert any("Owed to the Partner is" in sentence for sentence in found)

    def test_are_found_in_the_fee(self, lived):
        plant(
            "UPDATE payouts_earning SET fee = fee + 1, net = net - 1"
            " WHERE refund_id IS NULL AND fee > 0"
        )

        assert any("The transaction fee of INV-" in sentence for sentence in differences())

    def test_are_found_in_what_went_back(self, lived):
        plant("UPDATE payouts_earning SET fee = fee + 1, net = net - 1 WHERE refund_id IS NOT NULL")

        found = [one for one in differences() if one.endswith("and should be $1.40.")]

        assert "The transaction fee given back of INV-00001 is $1.39" in found[0]

    def test_are_found_in_the_sums_of_a_payout(self, lived):
        plant("UPDATE payouts_payout SET gross = gross + 1, credited = credited + 1")

        found = differences()
        assert any("The gross amount of the payout of 9 Nov 2026" in one for one in found)
        assert any("What was credited of the payout of" in one for one in found)

    def test_are_found_in_a_payment_that_was_passed_over(self, lived):
        sell(lived, 10_00, at=NOW + timedelta(days=1))

        [sentence] = differences()

        assert sentence.endswith("is $10.00, and its earning is nothing.")

    def test_are_found_in_credit_that_no_payout_made(self, lived):
        connection = lived.revampd_northwind
        Credit.grant(
            connection, 5_00, origin=Credit.Origin.PAYOUT, reason="A gift", by=None, at=LATER
        )

        found = differences()

        assert any(one.endswith("is $5.00, and was settled as nothing.") for one in found)

    def test_are_found_in_a_return_that_was_not_booked(self, committed_cast):
        link_bank(committed_cast, "returned")
        payout = paid_out(committed_cast)
        payout.settle(credit=30_00, transfer=70_00, by=committed_cast.noah, at=LATER)
        [transfer] = BankTransfer.objects.all()
        for days in (0, 2, 5):
            resolve_transfer(transfer, at=LATER + timedelta(days=days))
        assert transfer.returned_at == LATER + timedelta(days=5)
        assert differences() == []

        plant("DELETE FROM billing_transfer WHERE kind = 'PAYOUT_RETURNED'")

        first, *_ = differences()
        assert first.endswith("Payout returned is $70.00 by its document, nothing in the ledger.")

    def test_are_found_in_a_transfer_that_no_gateway_was_asked_for(self, lived):
        transfer = BankTransfer.objects.get()
        plant(f"DELETE FROM payouts_banktransfer WHERE id = '{transfer.pk}'")

        found = differences()

        assert any("What was to be sent of the payout" in one for one in found)
