"""Linking bank accounts on the gateway's page, where their numbers are typed."""

from datetime import datetime

from billing.gateways.base import CustomerRef
from connections.models import Connection, User

from .gateways import bank
from .gateways.base import Link
from .models import BankAccount


def begin_link(connection: Connection, return_url: str, *, by: User, at: datetime) -> Link:
    """Open the gateway's page for linking an account. Nothing of ours changes.

    Raises NotAllowed, and GatewayError if there is no such page just now.
    """
    connection.customer.require_biller(by)
    partner = connection.customer
    owner = CustomerRef(connection.pk, partner.name, partner.billing_email or by.email)
    return bank(at).begin_link(owner, return_url)


def finish_link(
    connection: Connection, reference: str, *, by: User, at: datetime
) -> BankAccount | None:
    """Keep the account that was linked there; None if none was. Doing it again changes nothing.

    Raises NotAllowed, Invalid for an account of somebody else, GatewayError.
    """
    present = bank(at)
    details = present.finish_link(reference)
    if details is None:
        return None
    return BankAccount.link(connection, details, gateway=present.name, by=by, at=at)
