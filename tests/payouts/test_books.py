"""The books of payouts: they agree, and each planted fault is found and named."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import connections

from billing.books import differences
from billing.models import Credit
from payouts.models import BankTransfer
from payouts.sending import send_transfers
from tests.cast import Cast

from .acts import NOW, WEEK, close, link_bank, put_on_tier, sell, take_back, week

LATER = NOW + WEEK


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

    def test_are_found_in_a_transfer_that_no_gateway_was_asked_for(self, lived):
        transfer = BankTransfer.objects.get()
        plant(f"DELETE FROM payouts_banktransfer WHERE id = '{transfer.pk}'")

        found = differences()

        assert any("What was to be sent of the payout" in one for one in found)
