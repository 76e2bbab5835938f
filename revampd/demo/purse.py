"""How the demo's companies pay: cards of the sandbox, credits, corrections, and disputes."""

from typing import TYPE_CHECKING

from billing.gateways.base import ClaimState, CustomerRef
from billing.gateways.cards import BY_NAME
from billing.gateways.sandbox import Sandbox
from billing.models import (
    Credit,
    CreditNote,
    Invoice,
    PaymentMethod,
    SandboxCharge,
    SandboxDispute,
)

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
    invoice = _latest(deal, item)
    line = invoice.lines.get(description__contains=item)
    stage = deal.stage
    CreditNote.issue(invoice, {line.pk: minor}, reason=reason, by=stage.user(by), at=stage.at)


def dispute(deal: "Deal", item: str) -> SandboxDispute:
    """The customer's bank takes back what paid the latest invoice that charges `item`."""
    payment = _latest(deal, item).payments.succeeded().get()
    return SandboxDispute.begin(SandboxCharge.objects.get(key=payment.pk), at=deal.stage.at)


def win(deal: "Deal", begun: SandboxDispute) -> None:
    """The bank decides for the provider."""
    begun.decide(ClaimState.WON, at=deal.stage.at)


def _latest(deal: "Deal", item: str) -> Invoice:
    invoices = Invoice.objects.filter(connection=deal.connection).newest_first()
    return next(one for one in invoices if one.lines.filter(description__contains=item).exists())
