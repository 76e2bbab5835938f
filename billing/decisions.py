"""What waits for a decision: whose, and on which connection."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from connections.models import Connection, Membership
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

from .models import BillingRequest

SHOWN = 5


def waiting_for(memberships: Iterable[Membership]) -> list[BillingRequest]:
    """The first few that these members may decide, the most urgent first."""
    mine = list(memberships)
    deciding = array_of(m.organization_id for m in mine if m.may_bill)
    return _waiting_for(deciding, array_of(m.organization_id for m in mine))


@prepared
def _waiting_for(deciding: Any, sent: Any) -> QuerySet[BillingRequest]:
    pending = BillingRequest.objects.pending().filter(among("connection__customer", deciding))
    rows: QuerySet[BillingRequest] = pending.exclude(among("provider", sent)).select_related(
        "connection__provider", "connection__customer", "proposed_by"
    )
    return rows.order_by("expires_at", "id")[:SHOWN]


def waiting_on_each(connections: Iterable[Connection]) -> dict[UUID, int]:
    """How many wait on each connection, by its id; those without any are missing."""
    return dict(_waiting_on_each(array_of(connection.pk for connection in connections)))


@prepared
def _waiting_on_each(connections: Any) -> QuerySet[BillingRequest, Any]:
    pending = BillingRequest.objects.pending().filter(among("connection", connections))
    numbers: QuerySet[BillingRequest, Any] = (
        pending.order_by().values_list("connection").annotate(number=Count("id"))
    )
    return numbers
