"""Cards, credits and payments of Bluebird, through the same verbs and the sandbox."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing.collecting import pay
from billing.gateways import gateway
from billing.gateways.base import CustomerRef
from billing.gateways.cards import BY_NAME
from billing.models import Credit, Invoice, Payment, PaymentMethod
from connections.models import Connection
from tests.cast import Cast

CVC = "123"


def add_card(
    cast: Cast, name: str = "visa", *, at: datetime | None = None, connection: Any = None
) -> PaymentMethod:
    """A test card of Ben's, by its name in gateways/cards.py."""
    connection, at = connection or cast.northwind_bluebird, at or timezone.now()
    sandbox: Any = gateway(at)
    customer = CustomerRef(connection.pk, "Bluebird Clinic", "ben@example.com")
    setup = sandbox.begin_setup(customer, "/")
    sandbox.complete_setup(
        setup.reference, number=BY_NAME[name].number, exp_month="12", exp_year="39", cvc=CVC
    )
    details = sandbox.finish_setup(setup.reference)
    return PaymentMethod.add(connection, details, gateway=sandbox.name, by=cast.ben, at=at)


def grant(cast: Cast, minor: int, reason: str = "Goodwill", at: datetime | None = None) -> Credit:
    credit = Credit.adjust(
        cast.northwind_bluebird, minor, reason=reason, by=cast.noah, at=at or timezone.now()
    )
    assert isinstance(credit, Credit)
    return credit


def pay_now(
    cast: Cast, invoice: Invoice, method: PaymentMethod, at: datetime | None = None
) -> Payment:
    at = at or timezone.now()
    return pay(invoice, method, cause=Payment.Cause.PERSON, by=cast.ben, at=at)


def owed(connection: Connection) -> Invoice:
    """The one invoice of `connection` that is not paid."""
    return connection.invoices.owed().get()
