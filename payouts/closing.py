"""Closing weeks: what a Partner earned in one becomes a payout.

A Partner's weeks are closed one after another, the oldest first, each in a few statements for a
page of Partners at once. An earning that comes late, whose week was closed without it, joins the
next one. What was closed has its earnings; running again closes nothing twice.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from psycopg import sql

from connections.kinds import Happening
from connections.models import Connection
from revampd.kit.errors import DomainError
from revampd.kit.ids import CLOCK, GROWING_ID
from revampd.kit.keys import among, array_of

from . import events
from .models import Payout, Preference
from .weeks import week_in_sql

PARTNERS = 100  # at a time

# Of each Partner the next week to close, if it is over: that of its oldest waiting earning, or, if
# that was closed already, the one after the last.
NEXT = sql.SQL("""
    SELECT account.id, account.currency, account.ahead, period.start,
        {week} + 7 AS end
    FROM connections_connection account
    JOIN connections_organization platform ON platform.id = account.provider_id
    CROSS JOIN LATERAL (
        SELECT min(earned_on) AS first FROM payouts_earning
        WHERE account_id = account.id AND payout_id IS NULL
    ) waiting
    LEFT JOIN LATERAL (
        SELECT period_end FROM payouts_payout WHERE connection_id = account.id
        ORDER BY period_start DESC LIMIT 1
    ) last ON true
    CROSS JOIN LATERAL (
        SELECT greatest({first_week}, last.period_end) AS start
    ) period
    WHERE waiting.first IS NOT NULL
        AND {week} + 7
            <= ((%(at)s + account.ahead) AT TIME ZONE platform.time_zone)::date
""").format(week=week_in_sql("period.start"), first_week=week_in_sql("waiting.first"))
DUE = sql.SQL("SELECT id FROM ({next}) due ORDER BY id").format(next=NEXT)

CLOSE = sql.SQL("""
    INSERT INTO payouts_payout (
        id, connection_id, currency, period_start, period_end, closed_at, state,
        gross, fee, affiliate, carries_id, carried, credited, banked
    )
    SELECT {growing_id}, due.id, due.currency, due.start, due.end, %(at)s + due.ahead, 'OPEN',
        0, 0, 0, debt.id, coalesce(debt.amount, 0), 0, 0
    FROM {clock}, ({next}) due
    LEFT JOIN LATERAL (
        SELECT carried.id, carried.amount FROM payouts_payout carried
        WHERE carried.connection_id = due.id AND carried.state = 'CARRIED' AND carried.amount < 0
            AND NOT EXISTS (SELECT 1 FROM payouts_payout later WHERE later.carries_id = carried.id)
    ) debt ON true
    WHERE due.id = ANY (%(accounts)s::uuid[])
    RETURNING id
""").format(growing_id=sql.SQL(GROWING_ID), clock=sql.SQL(CLOCK), next=NEXT)
JOIN = """
    UPDATE payouts_earning earning SET payout_id = payout.id
    FROM payouts_payout payout
    WHERE payout.id = ANY (%(payouts)s::uuid[]) AND earning.account_id = payout.connection_id
        AND earning.payout_id IS NULL AND earning.earned_on < payout.period_end
"""
FINISH = """
    UPDATE payouts_payout SET state = CASE WHEN amount > 0 THEN 'AVAILABLE' ELSE 'CARRIED' END
    WHERE id = ANY (%(payouts)s::uuid[])
"""


def close_weeks(*, at: datetime) -> int:
    """Make a payout of every week that is over at real time `at`, on the clock of its connection.

    Then settle those whose Partner prefers that to happen by itself. Returns how many were made.
    """
    made = 0
    while due := _due(at):
        for first in range(0, len(due), PARTNERS):
            made += _close(due[first : first + PARTNERS], at)
    _settle_by_preference(at)
    return made


def _due(at: datetime) -> list[UUID]:
    with database.cursor() as cursor:
        cursor.execute(DUE, _given(at))
        return [pk for (pk,) in cursor.fetchall()]


def _given(at: datetime, **more: Any) -> dict[str, Any]:
    return {"at": at, "weekday": settings.PAYOUT_WEEKDAY, **more}


@transaction.atomic
def _close(accounts: Sequence[UUID], at: datetime) -> int:
    """The next week of each of these, under their locks: who closes the same waits and finds it."""
    held = Connection.objects.select_for_update(no_key=True).filter(among("pk", accounts))
    list(held.order_by("pk").values_list("pk", flat=True))
    with database.cursor() as cursor:
        cursor.execute(CLOSE, _given(at, accounts=array_of(accounts)))
        payouts = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(JOIN, {"payouts": array_of(payouts)})
        cursor.execute(FINISH, {"payouts": array_of(payouts)})
    _record(payouts)
    return len(payouts)


def _record(payouts: Sequence[UUID]) -> None:
    rows = Payout.objects.filter(among("pk", payouts)).select_related("connection__provider")
    for kind, state in (
        (events.payout_available, Payout.State.AVAILABLE),
        (events.payout_carried, Payout.State.CARRIED),
    ):
        kind.record_each(Payout, [_happening(row) for row in rows if row.state == state])


def _happening(payout: Payout) -> Happening:
    connection = payout.connection
    return Happening(
        subject_id=payout.pk,
        organization_id=connection.customer_id,
        connection_id=connection.pk,
        at=payout.closed_at,
        facts={
            "week": payout.week,
            "net": payout.net_money,
            "carried": payout.carried_money,
            "amount": payout.total,
            "provider": connection.provider.name,
        },
    )


# Standing preferences


def _settle_by_preference(at: datetime) -> None:
    """Settle each new payout as its Partner prefers; one that cannot be waits, and they hear of it.

    A payout whose transfer came back is theirs to decide: it was settled once already.
    """
    for payout in _preferred():
        own = payout.connection.own_time(at)
        credit, transfer = payout.connection.payout_preference.parts(payout.left)
        try:
            payout.settle(credit=credit, transfer=transfer, by=None, at=own)
        except DomainError as refusal:
            payout.leave_to_people(refusal.sentence, at=own)


def _preferred() -> Iterator[Payout]:
    automatic = Preference.objects.exclude(kind=Preference.Kind.BY_HAND)
    rows = Payout.objects.untouched().filter(
        connection__payout_preference__in=automatic,
        closed_at__gt=F("connection__payout_preference__chosen_at"),
    )
    for payout in rows.select_related("connection__payout_preference").order_by("pk").iterator():
        if not payout.is_left_to_people:
            yield payout
