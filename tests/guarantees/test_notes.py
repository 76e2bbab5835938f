"""Credit notes and files: they correct the lines of one invoice, never beyond what it charged."""

import pytest

from billing.models import Invoice
from tests.billing.payments.acts import fresh
from tests.guarantees.statements import copy, copy_refused, refused, settle

pytestmark = pytest.mark.usefixtures("undone")


def note(money, **changes) -> dict:
    """The columns of a credit note over $10.00 of the invoice that is due."""
    return {"number": 90_000, "invoice_id": money.due.pk, "amount": 10_00, **changes}


def note_line(money, key, **changes) -> dict:
    """The columns of its line."""
    return {"note_id": key, "line_id": money.due.lines.get().pk, "amount": 10_00, **changes}


class TestNote:
    def test_corrects_an_invoice(self, money):
        key = copy(money.note, **note(money))
        copy(money.note.lines.get(), **note_line(money, key))

        settle()
        due = fresh(money.due)
        assert (due.corrected, due.outstanding, due.state) == (10_00, 390_00, Invoice.State.OPEN)

    def test_has_lines(self, money):
        copy(money.note, **note(money))

        refused("SET CONSTRAINTS ALL IMMEDIATE", by="credit_note_has_lines")

    def test_has_a_number_a_reason_and_an_amount(self, money):
        number = money.note.number
        copy_refused(money.note, **note(money, number=number), by="credit_note_number")
        copy_refused(money.note, **note(money, reason=""), by="credit_note_reason")
        copy_refused(money.note, **note(money, amount=0), by="credit_note_amount")

    def test_takes_back_no_more_than_is_left_of_the_invoice(self, money):
        """What was paid has to go back first, in the same transaction."""
        beyond = note(money, invoice_id=money.paid.pk)
        copy_refused(money.note, **beyond, by="invoice_never_over_paid")
        copy(money.note, **note(money, amount=400_00))
        assert fresh(money.due).state == Invoice.State.PAID

    def test_is_of_the_provider_of_its_connection(self, money, theirs):
        foreign = note(money, provider_id=theirs.connection.provider_id)
        copy_refused(money.note, **foreign, by="credit_note_of_provider")

    def test_is_of_an_invoice_of_its_connection(self, money, theirs):
        foreign = note(money, invoice_id=theirs.due.pk)
        copy_refused(money.note, **foreign, by="credit_note_of_invoice")
        copy(money.note, **note(money))


class TestLine:
    @pytest.mark.parametrize("amount", [9_99, 10_01])
    def test_adds_up_with_others_to_the_note(self, money, amount):
        key, line = copy(money.note, **note(money)), money.note.lines.get()

        copy_refused(line, **note_line(money, key, amount=amount), by="add up to its total")
        copy(line, **note_line(money, key))

    def test_takes_back_no_more_than_was_charged(self, money):
        """The first of two notes took all of it, so the invoice has room for a second no more."""
        line = money.note.lines.get()
        large = copy(money.note, **note(money, amount=395_00))
        copy(line, **note_line(money, large, amount=395_00))
        copy_refused(money.note, **note(money, number=90_001), by="invoice_never_over_paid")

        small = copy(money.note, **note(money, number=90_001, amount=5_00))
        copy(line, **note_line(money, small, amount=5_00))

    def test_is_of_the_invoice_that_the_note_corrects(self, money, theirs):
        key, line = copy(money.note, **note(money)), money.note.lines.get()

        for other in (money.paid, theirs.due):
            wrong = note_line(money, key, line_id=other.lines.get().pk)
            copy_refused(line, **wrong, by="lines of its own invoice")
        copy(line, **note_line(money, key))

    def test_is_of_a_note_of_its_connection(self, money, theirs):
        key, line = copy(money.note, **note(money)), money.note.lines.get()

        moved = note_line(money, key, connection_id=theirs.connection.pk)
        copy_refused(line, **moved, by="note_line_of_note")
        copy(line, **note_line(money, key))

    def test_corrects_a_line_once_a_note(self, money):
        line = money.note.lines.get()

        copy_refused(line, position=2, by="note_line_once")
        copy_refused(line, by="note_line_position")


class TestDocument:
    def test_is_of_one_invoice_or_one_note(self, money):
        both = {"invoice_id": money.paid.pk, "note_id": money.note.pk}

        copy_refused(money.document, **both, by="document_of_one")
        neither = {"invoice_id": None, "note_id": None}
        copy_refused(money.document, **neither, by="document_of_one")
        copy(money.document, invoice_id=None, note_id=money.note.pk)
        copy(money.document, invoice_id=money.paid.pk)

    def test_is_the_only_one(self, money):
        copy_refused(money.document, by="invoice_id")
