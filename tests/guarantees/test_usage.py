"""Usage: entered once, and billed once, by a line of its own plan."""

import pytest

from billing.models import InvoiceLine
from tests.guarantees.history import draft, item_days
from tests.guarantees.statements import NOT_ALLOWED, accepted, copy, copy_refused, refused

BILL = "UPDATE billing_usagerecord SET line_id = %s WHERE id = %s"

pytestmark = pytest.mark.usefixtures("undone")


def usage_line(books, number: int = 0, **changes) -> int:
    """A line for the usage of Growth, on an invoice of its own."""
    details = draft(books, total=6_00, number=90_000 + number) | item_days(books)
    measured = {"measure": "BOOKING", "amount": 6_00, "quantity": 3, "unit_price": 2_00}
    return copy(books.line, **details | measured | changes)


class TestUsage:
    def test_is_billed_once(self, books, money):
        first, second = usage_line(books), usage_line(books, 1)

        accepted(BILL, first, money.usage.pk)
        for other in (second, first, None):
            refused(BILL, other, money.usage.pk, by="entered once and billed once")

    def test_is_billed_by_a_line_of_its_own_item_and_measure(self, books, money, theirs):
        wrong = [
            theirs.due.lines.get().pk,
            money.due.lines.get().pk,
            InvoiceLine.objects.get(invoice=books.invoice).pk,  # of days, not of usage
            usage_line(books, 1, measure="TRANSFER"),
        ]

        for line in wrong:
            refused(BILL, line, money.usage.pk, by="own item and measure")
        accepted(BILL, usage_line(books), money.usage.pk)

    def test_is_entered_once_a_key(self, money, theirs):
        copy_refused(money.usage, by="usage_key")
        copy_refused(money.usage, key="", by="usage_has_key")
        copy(money.usage, key="second")
        copy(theirs.usage, key="second")

    def test_is_of_something_that_is_counted(self, money):
        copy_refused(money.usage, key="second", quantity=0, by="usage_quantity")
        copy_refused(money.usage, key="second", measure="VISIT", by="usage_measure")

    def test_is_of_an_item_of_its_connection(self, money, theirs):
        foreign = {"key": "second", "item_id": theirs.usage.item_id}
        copy_refused(money.usage, **foreign, by="usage_of_item")
        moved = {"key": "second", "connection_id": theirs.connection.pk}
        copy_refused(money.usage, **moved, by="usage_of_item")
        copy(money.usage, key="second")

    @pytest.mark.parametrize("column", ["quantity", "used_on", "item_id", "key"])
    def test_never_changes(self, money, column):
        statement = f"UPDATE billing_usagerecord SET {column} = {column} WHERE id = %s"

        refused(statement, money.usage.pk, by=NOT_ALLOWED)
