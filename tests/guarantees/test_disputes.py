"""Disputes: of what was paid and not beyond it, decided once, and counted by triggers alone."""

import pytest

from billing.gateways.base import Claim, ClaimState
from billing.models import Dispute
from revampd.kit.money import Money
from tests.billing.payments.acts import fresh
from tests.guarantees.history import NOW
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused

pytestmark = pytest.mark.usefixtures("undone")
DECIDE = "UPDATE billing_dispute SET state = %s, closed_at = now() WHERE id = %s"


@pytest.fixture
def dispute(money) -> Dispute:
    """$10.00 of the payment, which has more left."""
    claim = Claim("dp_1", money.payment.pk, Money(10_00), ClaimState.OPEN, "fraudulent")
    return Dispute.learn(fresh(money.payment), claim, gateway="sandbox", at=NOW)


def another(**changes) -> dict:
    return {"reference": "dp_2", "state": "OPEN", "closed_at": None, **changes}


class TestDispute:
    def test_is_counted_on_payment_and_invoice(self, money, dispute):
        payment, invoice = fresh(money.payment), fresh(money.paid)

        assert (payment.disputed, invoice.disputed) == (10_00, 10_00)
        assert (invoice.paid, invoice.state) == (money.paid.paid, money.paid.state)

    def test_takes_no_more_than_refunds_leave(self, money, dispute):
        left = money.payment.amount - money.refund.amount - 10_00

        for beyond in (another(amount=left + 1, claimed=left + 1),):
            copy_refused(dispute, **beyond, by="payment_never_over_returned")
        copy(dispute, **another(amount=left, claimed=left))
        refund = {"state": "INTENT", "settled_at": None, "amount": 1}
        copy_refused(money.refund, **refund, by="payment_never_over_returned")

    def test_books_no_more_than_is_claimed(self, dispute):
        copy_refused(dispute, **another(amount=2, claimed=1), by="dispute_amount")
        copy_refused(dispute, **another(amount=0, claimed=0), by="dispute_amount")

    def test_is_known_once_by_its_reference(self, dispute):
        copy_refused(dispute, **another(reference="dp_1"), by="dispute_once")

    @pytest.mark.parametrize("state", ["WON", "LOST"])
    def test_begins_open(self, dispute, state):
        copy_refused(dispute, **another(state=state, closed_at=NOW), by="begins open")

    def test_is_of_what_was_paid(self, money, dispute):
        under_way = copy(
            money.payment,
            invoice_id=money.due.pk,
            amount=1_00,
            state="INTENT",
            settled_at=None,
            reference="",
            refunded=0,
            disputed=0,
        )

        copy_refused(dispute, **another(payment_id=under_way), by="only what was paid")

    def test_is_of_a_payment_of_its_own_connection(self, dispute, cast):
        foreign = cast.contoso_fabrikam.pk

        copy_refused(dispute, **another(connection_id=foreign), by="dispute_of_payment")

    def test_is_won_without_a_trace(self, money, dispute):
        accepted(DECIDE, "WON", dispute.pk)

        payment, invoice = fresh(money.payment), fresh(money.paid)
        assert (payment.disputed, invoice.disputed, invoice.paid) == (0, 0, money.paid.paid)

    def test_is_owed_again_when_it_is_lost(self, money, dispute):
        accepted(DECIDE, "LOST", dispute.pk)

        invoice = fresh(money.paid)
        assert (invoice.disputed, invoice.paid) == (0, money.paid.paid - 10_00)
        assert (invoice.outstanding, invoice.state) == (money.paid.outstanding + 10_00, "OPEN")
        assert fresh(money.payment).disputed == 10_00

    @pytest.mark.parametrize("state", ["WON", "LOST", "OPEN"])
    def test_is_decided_once(self, dispute, state):
        accepted(DECIDE, "LOST", dispute.pk)

        refused(DECIDE, state, dispute.pk, by="decided once")

    def test_says_when_it_was_decided(self, dispute):
        statement = "UPDATE billing_dispute SET state = 'WON' WHERE id = %s"
        refused(statement, dispute.pk, by="dispute_closed")

    def test_never_becomes_another(self, dispute):
        for change in ("amount = 1", "claimed = 99", "reference = ''", "payment_id = NULL"):
            refused(
                f"UPDATE billing_dispute SET {change} WHERE id = %s", dispute.pk, by=NOT_ALLOWED
            )
        refused("DELETE FROM billing_dispute WHERE id = %s", dispute.pk, by=NOT_ALLOWED)

    def test_alone_changes_what_is_disputed(self, money, dispute):
        statement = "UPDATE billing_payment SET disputed = disputed - 1 WHERE id = %s"
        refused(statement, money.payment.pk, by="only by its refunds and disputes")
        statement = "UPDATE billing_invoice SET disputed = 0 WHERE id = %s"
        refused(statement, money.paid.pk, by="settled only by what is booked")
