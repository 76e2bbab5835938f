"""Linking bank accounts on the gateway's page, where their numbers are typed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from billing.gateways.base import CustomerRef
from connections.models import Connection, User
from revampd.kit.errors import Conflict

from .gateways import bank
from .gateways.base import Link
from .models import BankAccount
from .sending import bank_of


class StillChecked(Conflict):
    """The account was linked, but the gateway lets nothing be sent to it yet."""


def begin_link(
    connection: Connection,
    return_url: str,
    again_url: str = "",
    *,
    begun: str = "",
    by: User,
    at: datetime,
) -> Link:
    """Open the gateway's page for linking an account. Nothing of ours changes.

    `begun` is the reference of the link that is opened anew; empty for another one. Raises
    NotAllowed, and GatewayError if there is no such page just now.
    """
    connection.customer.require_biller(by)
    partner = connection.customer
    email = partner.billing_email or by.email
    owner = CustomerRef(connection.pk, partner.name, email, reference=begun)
    return bank(at).begin_link(owner, return_url, again_url)


def finish_link(
    connection: Connection, reference: str, *, by: User, at: datetime
) -> BankAccount | None:
    """Keep the account that was linked there; None if none was. Doing it again changes nothing.

    Raises NotAllowed, Invalid for an account of somebody else, StillChecked, GatewayError.
    """
    present = bank(at)
    details = present.finish_link(reference)
    if details is None:
        return None
    if not details.is_ready:
        raise StillChecked(
            "The payment service still checks what was entered, or wants to know more.",
            next_step="Look again in a few minutes.",
        )
    return BankAccount.link(connection, details, gateway=present.name, by=by, at=at)


def recheck(account: Any, /, *, at: datetime) -> None:
    """Keep what stands in the place of a linked account at the gateway by now.

    Raises Invalid for somebody else's, and GatewayError.
    """
    details = bank_of(account, at).details(account.reference)
    if details and details.is_ready and details.reference != account.reference:
        account.replace(details, at=at)


class Accounts:
    """Linked accounts, as what webhooks are about: found by the key of their owner."""

    ask = staticmethod(recheck)

    def find(self, key: UUID) -> BankAccount | None:
        linked = BankAccount.objects.linked().filter(connection=key)
        account: BankAccount | None = linked.select_related("connection", "linked_by").first()
        return account
