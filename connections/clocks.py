"""Whose clock holds where, when the demo has moved some of them: see revampd/kit/clock.py.

A page of a connection goes by that connection's clock. A page of an organization or a person shows
rows of several connections, so it goes by the one that is furthest ahead: nothing on it stands in
the future. Invitations go by the clock of whoever sends them. Work in the background looks at rows
of all connections at once: it compares with `own_time` and `own_day`, in SQL.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateField, DateTimeField, ExpressionWrapper, F, Func, Value
from django.db.models.expressions import Combinable

from revampd.kit import clock
from revampd.kit.prepared import Argument

from .models import Connection, Organization, User
from .models.connections import ConnectionQuerySet


def clock_of_connection(connection: Connection) -> AbstractContextManager[None]:
    return clock.ahead_by(connection.ahead)


def clock_of_organization(organization: Organization) -> AbstractContextManager[None]:
    """One query in a demo, none elsewhere."""
    return _furthest(lambda: Connection.objects.of_organization(organization))


def clock_of_person(user: User) -> AbstractContextManager[None]:
    """One query in a demo, none elsewhere."""
    return _furthest(lambda: Connection.objects.of(user))


def _furthest(connections: Callable[[], ConnectionQuerySet]) -> AbstractContextManager[None]:
    ahead = connections().furthest_ahead() if settings.IS_DEMO else timedelta(0)
    return clock.ahead_by(ahead)


def now_of_organization(organization: Organization) -> datetime:
    with clock_of_organization(organization):
        return clock.now()


# In queries


class _Day(Func):
    """The calendar day of an instant in a time zone."""

    template = "(%(expressions)s)::date"
    arg_joiner = " AT TIME ZONE "
    output_field = DateField()


def own_time(connection: str, at: datetime) -> Combinable:
    """The instant that real time `at` is on the clock of the row's connection.

    `connection` is the path to it: `overdue(own_time("connection", at))`.
    """
    ahead = F(f"{connection}__ahead")
    return ExpressionWrapper(_instant(at) + ahead, output_field=DateTimeField())


def own_day(connection: str, at: datetime) -> Combinable:
    """The day that real time `at` is where the row's provider does business, on its own clock.

    No index knows it: narrow down by `latest_day` first, which an index does know.
    """
    return _Day(own_time(connection, at), F(f"{connection}__provider__time_zone"))


def day_of_each(zone: str | Argument, at: datetime | Argument) -> Combinable:
    """`own_day` where the rows are the connections of one provider, who is in this time zone."""
    own = ExpressionWrapper(_instant(at) + F("ahead"), output_field=DateTimeField())
    return _Day(own, zone if isinstance(zone, Argument) else Value(zone))


def _instant(at: datetime | Argument) -> Any:
    return at if isinstance(at, Argument) else Value(at, output_field=DateTimeField())
