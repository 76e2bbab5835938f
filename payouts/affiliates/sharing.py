"""Affiliate shares, collected where money came in for a base subscription: each once, by a key.

What a Partner bears is taken out of its earning, in the statement that makes the earning. What
Revampd bears is pulled from what Partners who were brought paid for their tiers.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection as database
from django.db import transaction
from psycopg import sql

from connections.models import Connection
from revampd.kit.ids import CLOCK, GROWING_ID
from revampd.kit.keys import among, array_of

from .freezing import freeze_referrals
from .parts import BASE_PAID, IS_OF, RETURNS, TAKEN_BACK, share

ACCOUNTS = 100  # at a time
ROWS = 10_000  # a statement

COLUMNS = sql.SQL("""
    id, account_id, referral_id, connection_id, payment_id, refund_id, dispute_id, is_won,
    reverses_id, earning_id, bearer_id, currency, fee_rate, rate, base, fee, amount, earned_at,
    earned_on
""")

BOOKED = sql.SQL("""
    INSERT INTO billing_transfer (connection_id, kind, debit, credit, amount, document, at)
    SELECT account_id, moved.kind, moved.debit, moved.credit, abs(shared.amount), shared.id,
        shared.earned_at
    FROM shared
    JOIN (
        VALUES (1, 'SHARE_EARNED', 'COMMISSION', 'REFERRER'),
            (-1, 'SHARE_BACK', 'REFERRER', 'COMMISSION')
    ) AS moved (sign, kind, debit, credit) ON moved.sign = sign(shared.amount)
    ORDER BY shared.id
""")

# Of the earnings that were just `added`; the fee of the base is the one that was left out of it.
OUT_OF_EARNINGS = sql.SQL("""
    shared AS (
        INSERT INTO payouts_affiliateshare ({columns})
        SELECT {growing_id}, referral.account_id, referral.id, added.connection_id,
            added.payment_id, added.refund_id, added.dispute_id, added.is_won, sale.id, added.id,
            added.account_id, added.currency, added.fee_rate, added.affiliate_rate, added.base,
            sign(added.base)::int * ((abs(added.base) * added.fee_rate + 5000) / 10000),
            added.affiliate, added.earned_at, added.earned_on
        FROM {clock}, added
        JOIN payouts_referral referral ON referral.id = added.referral_id
        LEFT JOIN payouts_affiliateshare sale ON sale.earning_id = added.reverses_id
        ORDER BY added.earned_at, added.id
        RETURNING *
    ), shares_booked AS ({booked})
""").format(columns=COLUMNS, growing_id=sql.SQL(GROWING_ID), clock=sql.SQL(CLOCK), booked=BOOKED)

# The accounts of whoever brought Partners that paid, or got back, what may have no share yet.
OWING = sql.SQL("""
    SELECT DISTINCT referral.account_id
    FROM payouts_referral referral
    JOIN connections_connection own ON own.id = referral.connection_id
        AND own.provider_kind = 'PLATFORM'
    JOIN billing_payment payment ON payment.connection_id = own.id AND payment.state = 'SUCCEEDED'
        AND (referral.ends_on IS NULL OR payment.settled_at < referral.ends_on + 1)
    LEFT JOIN payouts_affiliateshare share
        ON share.payment_id = payment.id AND share.reverses_id IS NULL
    WHERE referral.rate > 0 AND (share.id IS NULL OR EXISTS (
        SELECT 1 FROM {returns} back
        WHERE back.payment_id = payment.id AND NOT EXISTS (
            SELECT 1 FROM payouts_affiliateshare known WHERE {is_of}
        )
    ))
    ORDER BY 1
""").format(returns=RETURNS, is_of=IS_OF)
PAYMENTS = sql.SQL("""
    SELECT {growing_id} AS id, referral.account_id, referral.id AS referral_id,
        payment.connection_id, payment.id AS payment_id, NULL::uuid AS refund_id,
        NULL::uuid AS dispute_id, false AS is_won, NULL::uuid AS reverses_id,
        NULL::uuid AS earning_id, NULL::uuid AS bearer_id,
        payment.currency, 0 AS fee_rate, referral.rate, base.amount AS base, 0 AS fee,
        share.affiliate AS amount, payment.settled_at AS earned_at, day.earned_on
    FROM {clock}, payouts_referral referral
    JOIN connections_connection own ON own.id = referral.connection_id
        AND own.provider_kind = 'PLATFORM'
    JOIN connections_organization platform ON platform.id = own.provider_id
    JOIN billing_payment payment ON payment.connection_id = own.id AND payment.state = 'SUCCEEDED'
    CROSS JOIN LATERAL (
        SELECT (payment.settled_at AT TIME ZONE platform.time_zone)::date AS earned_on
    ) day
    {base}
    {share}
    WHERE referral.account_id = ANY (%s::uuid[]) AND base.amount > 0 AND NOT EXISTS (
        SELECT 1 FROM payouts_affiliateshare known WHERE known.payment_id = payment.id
        AND known.reverses_id IS NULL
    )
    ORDER BY payment.settled_at, payment.id
    LIMIT {rows}
""").format(
    growing_id=sql.SQL(GROWING_ID),
    clock=sql.SQL(CLOCK),
    rows=ROWS,
    base=BASE_PAID,
    share=share("coalesce(base.amount, 0)", fee_rate="0", rate="referral.rate"),
)
BACK = sql.SQL("""
    SELECT {growing_id} AS id, sale.account_id, sale.referral_id, sale.connection_id,
        sale.payment_id, back.refund_id, back.dispute_id, back.is_won, sale.id AS reverses_id,
        NULL::uuid AS earning_id, NULL::uuid AS bearer_id, sale.currency, 0 AS fee_rate,
        sale.affiliate_rate AS rate, -part.base AS base, 0 AS fee, -part.affiliate AS amount,
        back.settled_at AS earned_at,
        (back.settled_at AT TIME ZONE platform.time_zone)::date AS earned_on
    FROM {clock}, (
        SELECT DISTINCT ON (back.payment_id) back.*
        FROM payouts_affiliateshare sale
        JOIN {returns} back ON back.payment_id = sale.payment_id
        WHERE sale.account_id = ANY (%s::uuid[]) AND sale.reverses_id IS NULL
            AND sale.earning_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM payouts_affiliateshare known WHERE {is_of}
            )
        ORDER BY back.payment_id, back.settled_at, back.is_won, back.id
    ) back
    JOIN LATERAL (
        SELECT paid.id, paid.account_id, paid.referral_id, paid.connection_id, paid.payment_id,
            paid.currency, 0 AS fee_rate, paid.rate AS affiliate_rate, payment.amount AS gross,
            0 AS fee, paid.base, paid.amount AS affiliate
        FROM payouts_affiliateshare paid
        JOIN billing_payment payment ON payment.id = paid.payment_id
        WHERE paid.payment_id = back.payment_id AND paid.reverses_id IS NULL
    ) sale ON true
    JOIN connections_connection account ON account.id = sale.account_id
    JOIN connections_organization platform ON platform.id = account.provider_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(gone.amount), 0)::bigint AS gross,
            coalesce(-sum(base), 0)::bigint AS base,
            coalesce(-sum(known.amount), 0)::bigint AS affiliate,
            coalesce(-sum(base) FILTER (WHERE known.dispute_id = back.dispute_id), 0)::bigint
                AS taken_base,
            coalesce(
                -sum(known.amount) FILTER (WHERE known.dispute_id = back.dispute_id), 0
            )::bigint AS taken_affiliate
        FROM payouts_affiliateshare known
        LEFT JOIN billing_refund refund ON refund.id = known.refund_id
        LEFT JOIN billing_dispute dispute ON dispute.id = known.dispute_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN known.is_won THEN -dispute.amount
                ELSE coalesce(refund.amount, dispute.amount) END AS amount
        ) gone
        WHERE known.payment_id = back.payment_id AND known.reverses_id IS NOT NULL
    ) known
    {taken_back}
    ORDER BY back.settled_at, back.id
    LIMIT {rows}
""").format(
    growing_id=sql.SQL(GROWING_ID),
    clock=sql.SQL(CLOCK),
    rows=ROWS,
    returns=RETURNS,
    is_of=IS_OF,
    taken_back=TAKEN_BACK,
)
COLLECT = sql.SQL("""
    WITH shared AS (
        INSERT INTO payouts_affiliateshare ({columns}) SELECT {columns} FROM ({rows}) rows
        ON CONFLICT DO NOTHING RETURNING *
    ), shares_booked AS ({booked})
    SELECT count(*) FROM shared
""")


def collect_shares(*, at: datetime | None = None) -> int:
    """Collect what Revampd bears of all that was paid or went back. Returns how many were added."""
    added = 0
    freeze_referrals(at=at)
    for accounts in _pages(_owing()):
        for rows in (PAYMENTS, BACK):
            while found := _collect(rows, accounts):
                added += found
    return added


def _owing() -> list[UUID]:
    with database.cursor() as cursor:
        cursor.execute(OWING)
        return [pk for (pk,) in cursor.fetchall()]


def _pages(accounts: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [accounts[first : first + ACCOUNTS] for first in range(0, len(accounts), ACCOUNTS)]


@transaction.atomic
def _collect(rows: sql.Composed, accounts: Sequence[UUID]) -> int:
    """One chunk, under the locks of its referrers: two of them at the same refunds would differ."""
    held = Connection.objects.select_for_update(no_key=True).filter(among("pk", accounts))
    list(held.order_by("pk").values_list("pk", flat=True))
    with database.cursor() as cursor:
        statement = COLLECT.format(columns=COLUMNS, rows=rows, booked=BOOKED)
        cursor.execute(statement, [array_of(accounts)])
        (added,) = cursor.fetchone()
    return int(added)
