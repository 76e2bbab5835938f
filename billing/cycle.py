"""The billing run: everything that has come due by a day, each period exactly once."""

from datetime import date, datetime
from uuid import UUID

from django.db import DatabaseError, transaction

from connections.clocks import own_day
from connections.models import Connection
from revampd.kit.locking import lock

from .models import BillingRequest, Invoice, Subscription
from .models.lines import DraftLine


def bill_due(on: date | None = None, *, at: datetime) -> int:
    """Issue every invoice that is due by the day `on`; missed periods are caught up one by one.

    Without `on`, the day is the one that real time `at` has where each provider does business, on
    the connection's own clock.
    Returns how many were issued. Running it again, or twice at the same time, issues nothing
    more: each connection is locked, and what was billed is no longer due. A connection that cannot
    be billed holds up no other; raises ExceptionGroup of such failures at the end.
    """
    # The index knows the latest of all days, each row its own.
    latest = on or Connection.objects.latest_day(at)
    own = on or own_day("connection", at)
    subscriptions = Subscription.objects.due(latest).due(own)
    due = set(subscriptions.values_list("connection", flat=True))
    charges = BillingRequest.objects.unbilled_charges(latest).unbilled_charges(own)
    due |= set(charges.values_list("connection", flat=True))
    issued, failures = 0, []
    for pk in sorted(due, key=str):
        try:
            issued += _bill_connection(pk, on, at)
        except (DatabaseError, ValueError) as failure:
            failure.add_note(f"while billing connection {pk}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(due)} connections not billed", failures)
    return issued


@transaction.atomic
def _bill_connection(connection_id: UUID, on: date | None, at: datetime) -> int:
    connection = lock(Connection(pk=connection_id))
    at = connection.own_time(at)
    on = on or connection.day_of(at)
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
