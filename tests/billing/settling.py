"""Cards, credits and payments of Bluebird, as the page tests need them."""

from typing import Any

from django.utils import timezone

from billing.collecting import pay
from billing.models import Credit, CreditNote, Invoice, Payment, PaymentMethod
from connections.models import Connection
from tests.billing import cards
from tests.cast import Cast


def add_card(cast: Cast, name: str = "visa", connection: Any = None) -> PaymentMethod:
    """A test card of Ben's, by its name in gateways/cards.py."""
    connection = connection or cast.northwind_bluebird
    return cards.add_card(connection, name, by=cast.ben, at=timezone.now())


def grant(cast: Cast, minor: int, reason: str = "Goodwill") -> Credit:
    at = timezone.now()
    credit = Credit.adjust(cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at)
    assert isinstance(credit, Credit)
    return credit


def pay_now(cast: Cast, invoice: Invoice, method: PaymentMethod) -> Payment | None:
    return pay(invoice, method, cause=Payment.Cause.PERSON, by=cast.ben, at=timezone.now())


def take_back(cast: Cast, invoice: Invoice, minor: int) -> CreditNote:
    """A credit note over `minor` of the one line of `invoice`."""
    amounts, at = {invoice.lines.get().pk: minor}, timezone.now()
    return CreditNote.issue(invoice, amounts, reason="A mistake", by=cast.noah, at=at)


def owed(connection: Connection) -> Invoice:
    """The one invoice of `connection` that is not paid."""
    invoice: Invoice = connection.invoices.owed().get()
    return invoice
