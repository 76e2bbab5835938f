"""Credits pay only what is of their own connection, and never more than they hold."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from billing.models import CreditApplication, Invoice
from tests.billing.payments.acts import fresh
from tests.guarantees.history import NOW
from tests.guarantees.statements import accepted, assert_refused_by, copy, copy_refused, refused

pytestmark = pytest.mark.usefixtures("undone")


def application(money, **changes) -> dict:
    """The columns of a use of the credit for the invoice that is due."""
    fields = {"credit_id": money.credit.pk, "invoice_id": money.due.pk, "amount": 20_00}
    return fields | {"returned": 0, "applied_at": NOW} | changes


class TestCredit:
    def test_begins_unused(self, money):
        copy_refused(money.credit, applied=1, by="begins unused")
        copy(money.credit, applied=0)

    @pytest.mark.parametrize("amount", [0, -1])
    def test_is_of_something(self, money, amount):
        copy_refused(money.credit, applied=0, amount=amount, by="credit_amount")
        copy(money.credit, applied=0, amount=1)

    def test_has_a_reason_and_an_origin(self, money):
        copy_refused(money.credit, applied=0, reason="", by="credit_reason")
        copy_refused(money.credit, applied=0, origin="GIFT", by="credit_origin")

    @pytest.mark.parametrize("applied", ["applied + 1", "applied - 1", "0", "amount"])
    def test_is_used_by_nothing_but_applications(self, money, applied):
        statement = f"UPDATE billing_credit SET applied = {applied} WHERE id = %s"

        refused(statement, money.credit.pk, by="only by what it is applied to")
        copy(money.application, **application(money))
        assert fresh(money.credit).applied == 25_00


class TestApplication:
    def test_settles_what_it_pays(self, money):
        copy(money.application, **application(money))

        due = fresh(money.due)
        assert (due.credited, due.outstanding, due.state) == (20_00, 380_00, Invoice.State.OPEN)

    def test_never_takes_more_than_the_credit_holds(self, money):
        too_much = application(money, amount=95_01)
        copy_refused(money.application, **too_much, by="credit_never_overdrawn")
        copy(money.application, **application(money, amount=95_00))
        copy_refused(money.application, **application(money, amount=1), by="credit_never_overdrawn")

    def test_never_takes_more_with_others_of_the_same_statement(self, money):
        with pytest.raises(DatabaseError) as refusal:
            apply_at_once(money, 50_00, 45_01)
        assert_refused_by(refusal.value, by="credit_never_overdrawn")
        apply_at_once(money, 50_00, 45_00)

    def test_never_pays_more_than_is_owed(self, money):
        large = copy(money.credit, applied=0, amount=1_000_00)

        beyond = application(money, credit_id=large, amount=400_01)
        copy_refused(money.application, **beyond, by="invoice_never_over_paid")
        copy(money.application, **application(money, credit_id=large, amount=400_00))
        assert fresh(money.due).state == Invoice.State.PAID

    def test_is_of_something(self, money):
        copy_refused(money.application, **application(money, amount=0), by="application_amount")
        copy_refused(money.application, **application(money, amount=-1), by="")

    def test_has_one_purpose(self, money):
        both = application(money, deduction_id=money.deduction.pk)
        copy_refused(money.application, **both, by="application_one_purpose")
        neither = application(money, invoice_id=None)
        copy_refused(money.application, **neither, by="application_one_purpose")
        copy(money.application, **neither | {"deduction_id": money.deduction.pk})

    def test_begins_with_nothing_returned(self, money):
        copy_refused(money.application, **application(money, returned=1), by="nothing returned")

    def test_pays_no_void_invoice(self, money):
        accepted("UPDATE billing_invoice SET state = 'VOID' WHERE id = %s", money.due.pk)

        copy_refused(money.application, **application(money), by="stays void")

    def test_is_returned_by_nothing_but_returns(self, money):
        statement = "UPDATE billing_creditapplication SET returned = %s WHERE id = %s"

        for returned in (0, 1, 50_00):
            refused(statement, returned, money.application.pk, by="only by what is returned of it")


class TestReturn:
    def test_never_gives_back_more_than_was_applied(self, money):
        copy_refused(money.returned, amount=45_01, by="application_never_over_returned")
        copy(money.returned, amount=45_00)
        copy_refused(money.returned, amount=1, by="application_never_over_returned")

    def test_gives_it_to_the_credit_and_takes_it_from_the_invoice(self, money):
        before = fresh(money.application.credit).applied

        copy(money.returned, amount=45_00)

        assert fresh(money.application.credit).applied == before - 45_00
        paid = fresh(money.paid)
        assert (paid.credited, paid.state) == (0, Invoice.State.OPEN)

    def test_is_of_something(self, money):
        copy_refused(money.returned, amount=0, by="return_amount")


class TestOtherConnections:
    """Money stays on its connection, whichever of two ids is the wrong one."""

    def test_apply_no_credit_of_ours(self, money, theirs):
        foreign = application(money, credit_id=theirs.credit.pk)
        copy_refused(money.application, **foreign, by="application_of_credit")
        copy(money.application, **application(money))

    def test_are_not_paid_by_it(self, money, theirs):
        foreign = application(money, invoice_id=theirs.due.pk)
        copy_refused(money.application, **foreign, by="application_on_invoice")
        moved = application(money, connection_id=theirs.connection.pk)
        copy_refused(money.application, **moved, by="application_o")
        copy(money.application, **application(money))

    def test_take_nothing_out_of_it(self, money, theirs):
        own = application(money, invoice_id=None, deduction_id=money.deduction.pk)
        foreign = own | {"deduction_id": theirs.deduction.pk}
        copy_refused(money.application, **foreign, by="application_for_deduction")
        copy(money.application, **own)

    def test_get_nothing_back_of_it(self, money, theirs):
        foreign = {"application_id": theirs.application.pk, "amount": 1}
        copy_refused(money.returned, **foreign, by="return_of_application")
        copy(money.returned, amount=1)


@transaction.atomic
def apply_at_once(money, *amounts: int) -> None:
    fields = application(money)
    CreditApplication.objects.bulk_create(
        CreditApplication(connection=money.connection, **fields | {"id": uuid4(), "amount": amount})
        for amount in amounts
    )
