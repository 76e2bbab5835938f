"""How the demo's Partners get their money: bank accounts of the sandbox, and settlements."""

from typing import TYPE_CHECKING

from billing.gateways.base import CustomerRef
from payouts.gateways.sandbox import Sandbox
from payouts.models import BankAccount, Payout, Preference, SandboxLink
from payouts.sending import resolve_transfer

from .people import Person

if TYPE_CHECKING:
    from .deals import Deal


def link_bank(deal: "Deal", name: str, *, by: Person) -> BankAccount:
    """The Partner links the sandbox's account of this name, through its page as people do."""
    connection, at, user = deal.connection, deal.stage.at, deal.stage.user(by)
    sandbox, partner = Sandbox(at), connection.customer
    link = sandbox.begin_link(CustomerRef(connection.pk, partner.name, user.email), "/")
    SandboxLink.objects.get(pk=link.reference).complete(name)
    details = sandbox.finish_link(link.reference)
    if details is None:
        raise ValueError(f"the account {name} was not linked")
    return BankAccount.link(connection, details, gateway=sandbox.name, by=user, at=at)


def settle(deal: "Deal", *, by: Person, percent: int, number: int | None = None) -> None:
    """Settle the oldest `number` that are available, all if None: so much percent to the wallet."""
    stage = deal.stage
    available = Payout.objects.available().filter(connection=deal.connection)
    for payout in available.order_by("period_start")[:number]:
        credit = payout.left * percent // 100
        settlement = payout.settle(
            credit=credit, transfer=payout.left - credit, by=stage.user(by), at=stage.at
        )
        if settlement.sent:
            resolve_transfer(settlement.sent, at=stage.at)


def prefer_split(deal: "Deal", percent: int, *, by: Person) -> None:
    """From now on, so much percent to the wallet and the rest to the bank, by itself."""
    stage, kind = deal.stage, Preference.Kind.SPLIT
    Preference.choose(deal.connection, kind, credit_percent=percent, by=stage.user(by), at=stage.at)
