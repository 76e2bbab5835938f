"""Invoices: numbered, of the provider of their connection, never below zero."""

from datetime import timedelta

from billing.models import Invoice
from tests.guarantees.history import Books
from tests.guarantees.statements import NOT_ALLOWED, copy, copy_refused, refused, settle


class TestInvoice:
    def test_has_a_number_of_its_own(self, books):
        copy_refused(books.invoice, by="invoice_number")
        copy_refused(books.invoice, number=0, by="invoice_number_positive")
        copy(books.invoice, number=90_000)
        copy_refused(books.invoice, number=90_000, by="invoice_number")
        copy_clean_up(books)

    def test_is_of_the_provider_of_its_connection(self, books, cast):
        details = {"number": 90_000}

        copy_refused(
            books.invoice, **details, provider_id=cast.contoso.pk, by="invoice_of_provider"
        )
        copy_refused(
            books.invoice,
            **details,
            connection_id=cast.contoso_fabrikam.pk,
            by="invoice_of_provider",
        )
        copy(books.invoice, **details)
        copy_clean_up(books)

    def test_is_never_moved_to_another_connection(self, books, cast):
        statement = "UPDATE billing_invoice SET connection_id = %s WHERE id = %s"

        refused(statement, cast.revampd_bluebird.pk, books.invoice.pk, by=NOT_ALLOWED)

    def test_is_never_negative(self, books):
        copy_refused(books.invoice, number=90_000, total=-1, by="invoice_never_over_paid")
        copy(books.invoice, number=90_000, total=0, state="PAID")
        copy_clean_up(books)

    def test_is_due_no_earlier_than_it_was_issued(self, books):
        early = books.invoice.issue_date - timedelta(1)

        copy_refused(books.invoice, number=90_000, due_date=early, by="invoice_due_after_issue")
        copy(books.invoice, number=90_000, due_date=books.invoice.issue_date)
        copy_clean_up(books)


def copy_clean_up(books: Books) -> None:
    """Give the invoice a line, so that the transaction could commit."""
    invoice = Invoice.objects.get(number=90_000)
    details = {"invoice_id": invoice.pk, "request_id": books.later_charge.pk, "item_id": None}
    days = {"period_start": None, "period_end": None}
    copy(books.line, **details, **days, kind="ONE_TIME", amount=invoice.total)
    settle()
