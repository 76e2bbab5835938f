"""What the tests of the clock share: whose it is, and how it gets there."""

from datetime import date
from typing import Any

from django.utils import timezone

from billing.models import BillingRequest, Invoice
from connections.models import Connection, User
from notifications.models import Notification
from revampd.demo import moving
from revampd.demo.companies import LAKESIDE, MAYA
from revampd.models import ClockMove


def lakeside(provider: str = "Brightwell Agency") -> Connection:
    rows = Connection.objects.select_related("provider", "customer")
    return rows.get(customer__name=LAKESIDE.name, provider__name=provider)


def begin(connection: Connection | None, to: date) -> ClockMove:
    by = User.objects.get(email=MAYA.email)
    return ClockMove.begin(connection, to=to, by=by, now=timezone.now())


def arrive(connection: Connection | None, to: date) -> ClockMove:
    """Move the clock as the worker does, and come back when it is there."""
    move = begin(connection, to)
    while move.is_under_way:
        moving.go_on()
        move.refresh_from_db()
    assert move.problem == ""
    return move


def books() -> set[tuple[Any, ...]]:
    """Everything that time alone has brought about."""
    invoices = Invoice.objects.values_list("connection", "issue_date", "total", "kind")
    closed = BillingRequest.objects.exclude(state="PENDING").values_list("id", "state")
    told = Notification.objects.values_list("event__code", "recipient", "connection", "title")
    return {*invoices, *closed, *((*row[:3], row[3].split(" from ")[-1]) for row in told)}


def finish() -> None:
    while ClockMove.objects.under_way().exists():
        moving.go_on()
