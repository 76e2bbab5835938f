"""Attempts to collect: one at a time, never beyond what is owed, settled once for good."""

from datetime import timedelta

import pytest

from billing.models import Invoice
from tests.billing.payments.acts import fresh
from tests.guarantees.history import NOW
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused


def attempt(money, **changes) -> dict:
    """The columns of a payment of the invoice that is due, under way."""
    fields = {"invoice_id": money.due.pk, "amount": 400_00, "state": "INTENT", "refunded": 0}
    return fields | {"settled_at": None, "reference": ""} | changes


SUCCEED = (
    "UPDATE billing_payment SET state = 'SUCCEEDED', settled_at = clock_timestamp() WHERE id = %s"
)
pytestmark = pytest.mark.usefixtures("undone")


class TestPayment:
    def test_holds_what_it_may_take(self, money):
        copy(money.payment, **attempt(money))

        due = fresh(money.due)
        assert (due.held, due.paid, due.outstanding) == (400_00, 0, 400_00)

    def test_is_never_of_more_than_is_owed(self, money):
        copy_refused(money.payment, **attempt(money, amount=400_01), by="invoice_never_over_paid")
        copy(money.payment, **attempt(money, amount=400_00))

    def test_leaves_what_it_holds_to_nothing_else(self, money):
        """Held, paid, credited and corrected together never exceed the total."""
        copy(money.payment, **attempt(money, amount=390_00))

        uses = {"credit_id": money.credit.pk, "invoice_id": money.due.pk, "returned": 0}
        copy_refused(money.application, **uses, amount=10_01, by="invoice_never_over_paid")
        note = {"invoice_id": money.due.pk, "number": 90_000}
        copy_refused(money.note, **note, amount=10_01, by="invoice_never_over_paid")
        copy(money.application, **uses, amount=10_00)
        copy_refused(money.note, **note, amount=1, by="invoice_never_over_paid")

    def test_is_the_only_one_under_way(self, money):
        first = copy(money.payment, **attempt(money, amount=1_00))

        copy_refused(money.payment, **attempt(money, amount=1_00), by="payment_one_at_a_time")
        accepted(SUCCEED, first)
        copy(money.payment, **attempt(money, amount=1_00))

    @pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "PROCESSING", "ACTION"])
    def test_begins_as_an_intent(self, money, state):
        settled = NOW if state in ("SUCCEEDED", "FAILED") else None
        done = attempt(money, state=state, settled_at=settled)

        copy_refused(money.payment, **done, by="begins as an intent")
        copy_refused(money.payment, **attempt(money, refunded=1), by="begins as an intent")
        copy(money.payment, **attempt(money))

    def test_is_of_something(self, money):
        copy_refused(money.payment, **attempt(money, amount=0), by="payment_amount")

    def test_settles_the_invoice_when_it_succeeds(self, money):
        key = copy(money.payment, **attempt(money))
        accepted(SUCCEED, key)

        due = fresh(money.due)
        assert (due.held, due.paid, due.state) == (0, 400_00, Invoice.State.PAID)
        refused(SUCCEED, key, by="settled payment never changes")

    def test_says_when_it_was_settled(self, money):
        key = copy(money.payment, **attempt(money))

        refused("UPDATE billing_payment SET state = 'FAILED' WHERE id = %s", key, by="_settled")
        refused("UPDATE billing_payment SET settled_at = now() WHERE id = %s", key, by="_settled")

    @pytest.mark.parametrize("state", ["FAILED", "INTENT", "PROCESSING"])
    def test_never_turns_back(self, money, state):
        refused(
            "UPDATE billing_payment SET state = %s WHERE id = %s",
            *(state, money.payment.pk),
            by="settled payment never changes",
        )

    def test_never_becomes_another(self, money):
        for change in ("amount = amount - 1", "invoice_id = NULL", "method_id = NULL"):
            statement = f"UPDATE billing_payment SET {change} WHERE id = %s"
            refused(statement, money.payment.pk, by=NOT_ALLOWED)

    def test_is_refunded_by_nothing_but_refunds(self, money):
        statement = "UPDATE billing_payment SET refunded = refunded + 1 WHERE id = %s"

        refused(statement, money.payment.pk, by="only by its refunds")


def refund(money, **changes) -> dict:
    """The columns of another refund of the payment, under way."""
    return {"state": "INTENT", "settled_at": None, "amount": 10_00, **changes}


class TestRefund:
    def test_never_exceeds_the_payment(self, money):
        left = money.payment.amount - money.refund.amount

        beyond = refund(money, amount=left + 1)
        copy_refused(money.refund, **beyond, by="payment_never_over_returned")
        copy(money.refund, **refund(money, amount=left))
        copy_refused(money.refund, **refund(money, amount=1), by="payment_never_over_returned")

    def test_is_of_a_payment_that_succeeded(self, money):
        under_way = copy(money.payment, **attempt(money))

        copy_refused(
            money.refund, **refund(money, payment_id=under_way), by="payment_never_over_returned"
        )
        copy(money.refund, **refund(money))

    def test_begins_as_an_intent(self, money):
        done = refund(money, state="SUCCEEDED", settled_at=NOW)
        copy_refused(money.refund, **done, by="begins as an intent")

    def test_is_settled_once(self, money):
        statement = """UPDATE billing_refund SET state = %s, settled_at = %s WHERE id = %s"""

        accepted(statement, "SUCCEEDED", NOW, money.refund.pk)
        refused(statement, "FAILED", NOW, money.refund.pk, by="refund never changes")

    def test_is_of_something(self, money):
        copy_refused(money.refund, **refund(money, amount=0), by="refund_amount")


class TestMethod:
    def test_is_the_only_default(self, money):
        other = {"reference": "another"}

        copy_refused(money.card, **other, by="method_one_default")
        copy(money.card, **other, is_default=False)

    def test_is_no_default_once_removed(self, money):
        statement = "UPDATE billing_paymentmethod SET removed_at = now() WHERE id = %s"

        refused(statement, money.card.pk, by="method_default_is_usable")
        accepted(statement.replace("SET", "SET is_default = false,"), money.card.pk)
        back = "UPDATE billing_paymentmethod SET removed_at = NULL WHERE id = %s"
        refused(back, money.card.pk, by="payment method never changes")

    def test_is_of_one_connection(self, money, theirs):
        moved = {"connection_id": theirs.connection.pk, "is_default": False}
        copy_refused(money.card, **moved, by="method_reference")


class TestVoid:
    @pytest.mark.parametrize("state", ["OPEN", "PAST_DUE", "PAID", "UNCOLLECTIBLE"])
    def test_is_for_good(self, money, state):
        statement = "UPDATE billing_invoice SET state = %s WHERE id = %s"

        accepted(statement, "VOID", money.due.pk)
        refused(statement, state, money.due.pk, by="stays void")
        collect = "UPDATE billing_invoice SET collect_on = %s WHERE id = %s"
        refused(collect, NOW.date() + timedelta(1), money.due.pk, by="stays void")

    def test_is_not_of_what_was_paid(self, money):
        statement = "UPDATE billing_invoice SET state = 'VOID' WHERE id = %s"

        refused(statement, money.paid.pk, by="invoice_state")
        copy(money.payment, **attempt(money))
        refused(statement, money.due.pk, by="invoice_state")

    def test_takes_no_payment(self, money):
        accepted("UPDATE billing_invoice SET state = 'VOID' WHERE id = %s", money.due.pk)

        copy_refused(money.payment, **attempt(money), by="stays void")


class TestSettlement:
    @pytest.mark.parametrize("column", ["credited", "paid", "held", "corrected"])
    def test_is_what_was_booked(self, money, column):
        statement = f"UPDATE billing_invoice SET {column} = {column} + 1 WHERE id = %s"

        refused(statement, money.due.pk, by="only by what is booked on it")
        begun = {"number": 90_000, "state": "OPEN", column: 1}
        copy_refused(money.due, **begun, by="nothing settled")

    def test_says_whether_it_is_paid(self, money):
        statement = "UPDATE billing_invoice SET state = %s WHERE id = %s"

        refused(statement, "PAID", money.due.pk, by="invoice_state")
        refused(statement, "OPEN", money.paid.pk, by="invoice_state")
        accepted(statement, "PAST_DUE", money.due.pk)


class TestOtherConnections:
    def test_are_not_paid_for(self, money, theirs):
        foreign = attempt(money, invoice_id=theirs.due.pk)
        copy_refused(money.payment, **foreign, by="payment_of_invoice")
        copy(money.payment, **attempt(money))

    def test_do_not_pay(self, money, theirs):
        foreign = attempt(money, method_id=theirs.card.pk)
        copy_refused(money.payment, **foreign, by="payment_by_method")
        moved = attempt(money, connection_id=theirs.connection.pk)
        copy_refused(money.payment, **moved, by="payment_")
        copy(money.payment, **attempt(money))

    def test_get_no_refund(self, money, theirs):
        foreign = refund(money, payment_id=theirs.payment.pk)
        copy_refused(money.refund, **foreign, by="refund_of_payment")
        copy(money.refund, **refund(money))

    def test_cause_no_refund(self, money, theirs):
        copy(money.refund, **refund(money))
        copy(money.refund, **refund(money, note_id=theirs.note.pk, amount=1))

        refused("SET CONSTRAINTS refund_for_note IMMEDIATE", by="refund_for_note")
