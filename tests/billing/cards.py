"""Test cards of the sandbox, added as a customer adds them."""

from datetime import date, datetime

from billing.gateways.base import CustomerRef
from billing.gateways.cards import BY_NAME
from billing.gateways.sandbox import Sandbox
from billing.models import PaymentMethod
from connections.models import Connection, User

FAR = date(2049, 12, 31)


def add_card(
    connection: Connection,
    name: str = "visa",
    *,
    by: User,
    at: datetime,
    expires: date = FAR,
) -> PaymentMethod:
    """The card that `billing.gateways.cards` calls `name`, as the one that is charged now."""
    sandbox = Sandbox(at)
    customer = CustomerRef(connection.pk, connection.customer.name, by.email)
    setup = sandbox.begin_setup(customer, "/")
    sandbox.complete_setup(
        setup.reference,
        number=BY_NAME[name].number,
        exp_month=str(expires.month),
        exp_year=str(expires.year),
        cvc="123",
    )
    details = sandbox.finish_setup(setup.reference)
    assert details is not None
    return PaymentMethod.add(connection, details, gateway=sandbox.name, by=by, at=at)
