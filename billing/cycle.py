"""The billing run: everything that has come due by a day, each period exactly once."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from connections.models import Connection
from revampd.kit.locking import lock

from .models import BillingRequest, Invoice, Subscription
from .models.invoices import DraftLine


def bill_due(on: date, *, at: datetime) -> int:
    """Issue every invoice that is due by the day `on`; missed periods are caught up one by one.

    Returns how many were issued. Running it again, or twice at the same time, issues nothing
    more: each connection is locked, and what was billed is no longer due.
    """
    due = set(Subscription.objects.due(on).values_list("connection", flat=True))
    due |= set(BillingRequest.objects.unbilled_charges(on).values_list("connection", flat=True))
    return sum(_bill_connection(pk, on, at) for pk in sorted(due, key=str))


@transaction.atomic
def _bill_connection(connection_id: UUID, on: date, at: datetime) -> int:
    connection = lock(Connection(pk=connection_id))
    issued = 0
    while subscription := Subscription.objects.due(on).filter(connection=connection).first():
        lines = _charge_lines(connection, subscription.next_invoice_date or on)
        issued += subscription.bill(at=at, extra=lines) is not None
    if lines := _charge_lines(connection, on):
        Invoice.issue(connection, lines, on=on, at=at)
        issued += 1
    return issued


def _charge_lines(connection: Connection, on: date) -> list[DraftLine]:
    """One-time charges that have come due by the day `on`."""
    charges = BillingRequest.objects.filter(connection=connection).unbilled_charges(on)
    return [request.charge_line() for request in charges.order_by("starts_on", "id")]
