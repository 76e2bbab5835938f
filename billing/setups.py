"""Payment methods come and go: where our verbs meet the gateway, outside of any transaction."""

import logging
from datetime import datetime

from connections.models import Connection, User

from .gateways import gateway
from .gateways.base import CustomerRef, GatewayError, Setup
from .models import PaymentMethod

log = logging.getLogger(__name__)


def begin_setup(connection: Connection, return_url: str, *, by: User, at: datetime) -> Setup:
    """Open the gateway's page for adding a method. Nothing of ours changes.

    Raises NotAllowed, and GatewayError if there is no such page just now.
    """
    connection.customer.require_biller(by)
    present = gateway(at)
    kept = connection.payment_methods.filter(gateway=present.name).exclude(customer_reference="")
    known = kept.order_by("-added_at").values_list("customer_reference", flat=True).first()
    customer = CustomerRef(
        key=connection.pk,
        name=connection.customer.name,
        email=connection.customer.billing_email or by.email,
        reference=known or "",
    )
    return present.begin_setup(customer, return_url)


def finish_setup(
    connection: Connection, reference: str, *, by: User, at: datetime
) -> PaymentMethod | None:
    """Keep the method that was added there; None if none was. Doing it again changes nothing.

    Raises NotAllowed, Invalid for a method of somebody else, GatewayError.
    """
    present = gateway(at)
    details = present.finish_setup(reference)
    if details is None:
        return None
    return PaymentMethod.add(connection, details, gateway=present.name, by=by, at=at)


def forget(method: PaymentMethod, *, by: User, at: datetime) -> None:
    """Remove a method here, then at the gateway. Raises NotAllowed and MethodGone.

    A gateway that does not answer keeps a card that nobody can charge any more through us.
    """
    method.remove(by=by, at=at)
    present = gateway(at)
    if present.name != method.gateway:
        return
    try:
        present.detach(method.reference)
    except GatewayError as error:
        log.warning("%s was removed, but the gateway did not hear it: %s", method.pk, error)
