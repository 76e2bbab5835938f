"""How the demo's companies pay: cards of the sandbox, credits and corrections between the two."""

from typing import TYPE_CHECKING

from billing.gateways.base import CustomerRef
from billing.gateways.cards import BY_NAME
from billing.gateways.sandbox import Sandbox
from billing.models import Credit, CreditNote, Invoice, PaymentMethod

from .people import Person

if TYPE_CHECKING:
    from .deals import Deal


def add_card(deal: "Deal", name: str, *, by: Person) -> PaymentMethod:
    """The customer adds the sandbox's card of this name, through its page as people do."""
    connection, at = deal.connection, deal.stage.at
    sandbox, customer = Sandbox(at), connection.customer
    known = connection.payment_methods.values_list("customer_reference", flat=True).first()
    asked = CustomerRef(connection.pk, customer.name, customer.billing_email, known or "")
    setup = sandbox.begin_setup(asked, "/")
    card = BY_NAME[name]
    expiry = {"exp_month": "8", "exp_year": str(at.year + 3)}
    sandbox.complete_setup(setup.reference, number=card.number, cvc="314", **expiry)
    details = sandbox.finish_setup(setup.reference)
    if details is None:
        raise ValueError(f"the card {name} was not added")
    user = deal.stage.user(by)
    return PaymentMethod.add(connection, details, gateway=sandbox.name, by=user, at=at)


def adjust(deal: "Deal", minor: int, reason: str, *, by: Person) -> None:
    """The provider puts credit into the wallet, or takes some out."""
    stage = deal.stage
    Credit.adjust(deal.connection, minor, reason=reason, by=stage.user(by), at=stage.at)


def take_back(deal: "Deal", item: str, minor: int, reason: str, *, by: Person) -> None:
    """The provider issues a credit note over part of the latest line that charges `item`."""
    lines = Invoice.objects.filter(connection=deal.connection).newest_first()
    invoice = next(one for one in lines if one.lines.filter(description__contains=item).exists())
    line = invoice.lines.get(description__contains=item)
    stage = deal.stage
    CreditNote.issue(invoice, {line.pk: minor}, reason=reason, by=stage.user(by), at=stage.at)
