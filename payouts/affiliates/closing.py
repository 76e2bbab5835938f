"""Closing periods: what a referrer earned in one becomes an affiliate payout, and then a credit.

Like the weeks of Partners (payouts/closing.py): the oldest first, in a few statements for many at
once; a share that comes late joins the next one; running again closes nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from psycopg import sql

from connections.clocks import own_time
from connections.kinds import Happening
from connections.models import Connection
from payouts.models import AffiliatePayout
from payouts.models.affiliate_payouts import NotPending
from revampd.kit.ids import CLOCK, GROWING_ID
from revampd.kit.keys import among, array_of

from . import events
from .periods import next_in_sql, period_in_sql
from .sharing import collect_shares

ACCOUNTS = 100  # at a time

# Of each referrer the next period to close, if it is over: that of its oldest waiting share, or, if
# that was closed already, the one after the last.
NEXT = """
    SELECT account.id, account.currency, account.ahead, period.start, {next} AS end
    FROM connections_connection account
    JOIN connections_organization platform ON platform.id = account.provider_id
    CROSS JOIN LATERAL (
        SELECT min(earned_on) AS first FROM payouts_affiliateshare
        WHERE account_id = account.id AND payout_id IS NULL
    ) waiting
    LEFT JOIN LATERAL (
        SELECT period_end FROM payouts_affiliatepayout WHERE connection_id = account.id
        ORDER BY period_start DESC LIMIT 1
    ) last ON true
    CROSS JOIN LATERAL (SELECT greatest({first}, last.period_end) AS start) period
    WHERE waiting.first IS NOT NULL AND account.id IN (
        SELECT account_id FROM payouts_affiliateshare WHERE payout_id IS NULL
    ) AND {next} <= ((%(at)s + account.ahead) AT TIME ZONE platform.time_zone)::date
"""
CLOSE = sql.SQL("""
    INSERT INTO payouts_affiliatepayout (
        id, connection_id, currency, period_start, period_end, closed_at, state, earned,
        carries_id, carried
    )
    SELECT {growing_id}, due.id, due.currency, due.start, due.end, %(at)s + due.ahead, 'OPEN', 0,
        debt.id, coalesce(debt.amount, 0)
    FROM {clock}, ({next}) due
    LEFT JOIN LATERAL (
        SELECT carried.id, carried.amount FROM payouts_affiliatepayout carried
        WHERE carried.connection_id = due.id AND carried.state = 'CARRIED' AND carried.amount < 0
            AND NOT EXISTS (
                SELECT 1 FROM payouts_affiliatepayout later WHERE later.carries_id = carried.id
            )
    ) debt ON true
    WHERE due.id = ANY (%(accounts)s::uuid[])
    RETURNING id
""")
JOIN = """
    UPDATE payouts_affiliateshare share SET payout_id = payout.id
    FROM payouts_affiliatepayout payout
    WHERE payout.id = ANY (%(payouts)s::uuid[]) AND share.account_id = payout.connection_id
        AND share.payout_id IS NULL AND share.earned_on < payout.period_end
"""
FINISH = """
    UPDATE payouts_affiliatepayout
    SET state = CASE WHEN amount > 0 THEN 'PENDING' ELSE 'CARRIED' END
    WHERE id = ANY (%(payouts)s::uuid[])
"""


def pay_affiliates(*, at: datetime) -> int:
    """Collect shares, close the periods that are over at real time `at`, credit what has waited.

    Each connection goes by its own clock. Returns how many affiliate payouts were made.
    """
    collect_shares(at=at)
    made = 0
    while due := _due(at):
        for first in range(0, len(due), ACCOUNTS):
            made += _close(due[first : first + ACCOUNTS], at)
    _apply_pending(at)
    return made


def _next() -> sql.Composed:
    first, following = period_in_sql("waiting.first"), next_in_sql("period.start")
    return sql.SQL(NEXT).format(first=first, next=following)


def _due(at: datetime) -> list[UUID]:
    statement = sql.SQL("SELECT id FROM ({next}) due ORDER BY id").format(next=_next())
    with database.cursor() as cursor:
        cursor.execute(statement, _given(at))
        return [pk for (pk,) in cursor.fetchall()]


def _given(at: datetime, **more: Any) -> dict[str, Any]:
    return {"at": at, "weekday": settings.PAYOUT_WEEKDAY, **more}


@transaction.atomic
def _close(accounts: Sequence[UUID], at: datetime) -> int:
    """The next period of each, under their locks: who closes the same waits and finds it."""
    held = Connection.objects.select_for_update(no_key=True).filter(among("pk", accounts))
    list(held.order_by("pk").values_list("pk", flat=True))
    close = CLOSE.format(growing_id=sql.SQL(GROWING_ID), clock=sql.SQL(CLOCK), next=_next())
    with database.cursor() as cursor:
        cursor.execute(close, _given(at, accounts=array_of(accounts)))
        payouts = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(JOIN, {"payouts": array_of(payouts)})
        cursor.execute(FINISH, {"payouts": array_of(payouts)})
    _record(payouts)
    return len(payouts)


def _record(payouts: Sequence[UUID]) -> None:
    rows = AffiliatePayout.objects.filter(among("pk", payouts)).select_related("connection")
    for kind, state in (
        (events.payout_pending, AffiliatePayout.State.PENDING),
        (events.payout_carried, AffiliatePayout.State.CARRIED),
    ):
        kind.record_each(AffiliatePayout, [_happening(row) for row in rows if row.state == state])


def _happening(payout: AffiliatePayout) -> Happening:
    connection = payout.connection
    return Happening(
        subject_id=payout.pk,
        organization_id=connection.customer_id,
        connection_id=connection.pk,
        at=payout.closed_at,
        facts={
            "period": payout.period,
            "earned": payout.earned_money,
            "carried": payout.carried_money,
            "amount": payout.total,
            "due": connection.day_of(payout.due_at),
        },
    )


def _apply_pending(at: datetime) -> None:
    """Credit those that have waited for the days of the settings, each in its transaction."""
    closed_before = own_time("connection", at - timedelta(days=settings.AFFILIATE_WAIT_DAYS))
    due = AffiliatePayout.objects.pending().filter(closed_at__lte=closed_before)
    for payout in due.select_related("connection").order_by("closed_at", "pk"):
        try:
            payout.apply(at=payout.connection.own_time(at))
        except NotPending:
            continue  # another worker was faster
