"""How a payout stands, as a version: the page of one that is on its way asks whether it changed."""

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from revampd.kit.prepared import prepared

from .models import BankTransfer, Payout, Settlement


def version(payout: Payout, settlements: Sequence[Settlement]) -> str:
    """Of a payout whose settlements were read, the oldest first."""
    sent = [settlement.sent.state for settlement in settlements if settlement.sent]
    return _written(payout.state, payout.credited, payout.banked, sent[-1] if sent else None)


def version_of(connection: Any, payout: Any) -> str | None:
    """Of the payout with this id; one row is read. None if the connection has no such payout."""
    row = _standing(connection, payout)
    return _written(*row[0]) if row else None


@prepared
def _standing(connection: Any, payout: Any) -> QuerySet[Any, Any]:
    transfers = BankTransfer.objects.filter(payout=OuterRef("pk")).order_by("-begun_at", "-pk")
    rows = Payout.objects.filter(connection=connection, pk=payout)
    rows = rows.annotate(sent=Subquery(transfers.values("state")[:1]))
    return rows.values_list("state", "credited", "banked", "sent")


def _written(state: str, credited: int, banked: int, sent: str | None) -> str:
    return f"{state}.{credited}.{banked}.{sent or ''}"
