"""Noah proposes for Northwind and Ben decides for Bluebird, at instants that the test names."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from billing.models import BillingRequest, Invoice
from billing.models.due import bill as bill_each
from billing.models.proposals import Proposal
from connections.models import Connection, Event
from revampd.kit.locking import lock
from tests.cast import Cast

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
TODAY = NOW.date()


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def propose(
    cast: Cast, item: Any = None, at: datetime = NOW, by: Any = None, **details: Any
) -> BillingRequest:
    proposal = Proposal(item or cast.growth, **details)
    return BillingRequest.propose(
        proposal, connection=cast.northwind_bluebird, by=by or cast.noah, at=at
    )


def approve(
    cast: Cast, request: BillingRequest, at: datetime = NOW, **details: Any
) -> BillingRequest:
    request.approve(by=cast.ben, seal=request.seal, at=at, **details)
    return request


def agree(cast: Cast, item: Any = None, at: datetime = NOW, **details: Any) -> BillingRequest:
    """Proposed and approved at the same instant."""
    return approve(cast, propose(cast, item, at, **details), at)


@transaction.atomic
def bill(connection: Connection, at: datetime) -> None:
    """Issue what is due on `connection`, as the run does with a thousand of them."""
    bill_each([lock(connection).pk], at=at)


def issued(cast: Cast) -> list[Invoice]:
    return list(cast.northwind_bluebird.invoices.order_by("number"))


def lines(invoice: Invoice) -> list[tuple[str, int]]:
    return list(invoice.lines.order_by("position").values_list("description", "amount"))


def happened(cast: Cast) -> Counter[str]:
    """How often each kind of event was recorded for Northwind and Bluebird since the cast met."""
    events = Event.objects.filter(connection=cast.northwind_bluebird)
    codes = events.exclude(code__startswith="connection.").exclude(code__startswith="invitation.")
    return Counter(codes.values_list("code", flat=True))


def day(text: str) -> date:
    return date.fromisoformat(text)
