"""Earnings, pulled from what was collected and what went back of it: each of these once.

The database computes them, a page of Partners at a time and a chunk of rows in a statement, so that
memory stays flat. What has its earning is passed over: running again, or several at once, adds
nothing. A refund or a dispute waits until its payment has been collected here.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection as database
from django.db import transaction
from psycopg import sql

from connections.models import Connection
from revampd.kit.ids import CLOCK, GROWING_ID
from revampd.kit.keys import among, array_of

from .affiliates.freezing import freeze_referrals
from .affiliates.parts import BASE_PAID, IS_OF, RETURNS, TAKEN_BACK, part, share
from .affiliates.sharing import OUT_OF_EARNINGS

PARTNERS = 100  # at a time
ROWS = 10_000  # a statement

# The Partners (their connections with Revampd) of which something is not collected yet.
OWING = sql.SQL("""
    SELECT DISTINCT account.id
    FROM connections_connection account
    JOIN connections_connection sub ON sub.provider_id = account.customer_id
        AND sub.currency = account.currency
    JOIN billing_payment payment ON payment.connection_id = sub.id AND payment.state = 'SUCCEEDED'
    WHERE account.provider_kind = 'PLATFORM' AND NOT EXISTS (
        SELECT 1 FROM payouts_earning known WHERE known.payment_id = payment.id
        AND known.reverses_id IS NULL
    )
    UNION
    SELECT account.id
    FROM connections_connection account
    JOIN connections_connection sub ON sub.provider_id = account.customer_id
        AND sub.currency = account.currency
    JOIN {returns} back ON back.connection_id = sub.id
    WHERE account.provider_kind = 'PLATFORM' AND NOT EXISTS (
        SELECT 1 FROM payouts_earning known WHERE {is_of}
    )
    ORDER BY 1
""").format(returns=RETURNS, is_of=IS_OF)

# The tier of the day at Revampd, with the fee that the Partner approved along with it, and the
# referral that the Sub-Org came by. One that is to be frozen is waited for: its rate comes first.
PAYMENTS = sql.SQL("""
    SELECT {growing_id} AS id, account.id AS account_id, payment.connection_id,
        account.customer_id AS partner_id, payment.id AS payment_id, NULL::uuid AS refund_id,
        NULL::uuid AS dispute_id, false AS is_won, NULL::uuid AS reverses_id,
        tier.request_id AS authority_id, payment.currency,
        coalesce(tier.fee_rate, 0) AS fee_rate,
        CASE WHEN base.amount > 0 THEN referral.rate ELSE 0 END AS affiliate_rate,
        CASE WHEN base.amount > 0 THEN referral.id END AS referral_id,
        coalesce(base.amount, 0) AS base, payment.amount AS gross, whole.fee, share.affiliate,
        payment.amount - whole.fee - share.affiliate AS net,
        payment.settled_at AS earned_at, day.earned_on
    FROM {clock}, connections_connection account
    JOIN connections_organization platform ON platform.id = account.provider_id
    JOIN connections_connection sub ON sub.provider_id = account.customer_id
        AND sub.currency = account.currency
    JOIN billing_payment payment ON payment.connection_id = sub.id AND payment.state = 'SUCCEEDED'
    CROSS JOIN LATERAL (
        SELECT (payment.settled_at AT TIME ZONE platform.time_zone)::date AS earned_on
    ) day
    LEFT JOIN LATERAL (
        SELECT item.request_id, version.transaction_fee AS fee_rate
        FROM billing_subscriptionitem item
        JOIN billing_billingrequest request ON request.id = item.request_id
        JOIN billing_planversion version ON version.id = request.plan_version_id
        WHERE item.connection_id = account.id AND item.kind = 'PLAN'
            AND item.start_date <= day.earned_on
            AND (item.end_date IS NULL OR item.end_date > day.earned_on)
        LIMIT 1
    ) tier ON true
    LEFT JOIN payouts_referral referral ON referral.connection_id = payment.connection_id
    {base}
    CROSS JOIN LATERAL (SELECT {fee} AS fee) whole
    {share}
    WHERE account.id = ANY (%s::uuid[]) AND NOT EXISTS (
        SELECT 1 FROM payouts_earning known WHERE known.payment_id = payment.id
        AND known.reverses_id IS NULL
    ) AND (referral.id IS NULL OR referral.frozen_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM billing_billingrequest WHERE connection_id = payment.connection_id
        AND kind = 'PLAN' AND state = 'APPROVED'
    ))
    ORDER BY payment.settled_at, payment.id
    LIMIT {rows}
""").format(
    growing_id=sql.SQL(GROWING_ID),
    clock=sql.SQL(CLOCK),
    rows=ROWS,
    base=BASE_PAID,
    fee=part("payment.amount", "coalesce(tier.fee_rate, 0)"),
    share=share(
        "coalesce(base.amount, 0)",
        fee_rate="coalesce(tier.fee_rate, 0)",
        rate="coalesce(referral.rate, 0)",
    ),
)

# What of a payment has gone back so far decides what goes back now, so of each payment one at a
# time: the shares of all that went back together are those of what it comes to.
BACK = sql.SQL("""
    SELECT {growing_id} AS id, sale.account_id, sale.connection_id, sale.partner_id,
        sale.payment_id, back.refund_id, back.dispute_id, back.is_won, sale.id AS reverses_id,
        sale.authority_id, sale.currency, sale.fee_rate, sale.affiliate_rate, sale.referral_id,
        -part.base AS base, -back.amount AS gross, -part.fee AS fee, -part.affiliate AS affiliate,
        part.fee + part.affiliate - back.amount AS net, back.settled_at AS earned_at,
        (back.settled_at AT TIME ZONE platform.time_zone)::date AS earned_on
    FROM {clock}, (
        SELECT DISTINCT ON (back.payment_id) back.*
        FROM connections_connection account
        JOIN connections_connection sub ON sub.provider_id = account.customer_id
            AND sub.currency = account.currency
        JOIN {returns} back ON back.connection_id = sub.id
        WHERE account.id = ANY (%s::uuid[]) AND NOT EXISTS (
            SELECT 1 FROM payouts_earning known WHERE {is_of}
        )
        ORDER BY back.payment_id, back.settled_at, back.is_won, back.id
    ) back
    JOIN payouts_earning sale ON sale.payment_id = back.payment_id AND sale.reverses_id IS NULL
    JOIN connections_connection account ON account.id = sale.account_id
    JOIN connections_organization platform ON platform.id = account.provider_id
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(gross), 0)::bigint AS gross, coalesce(-sum(base), 0)::bigint AS base,
            coalesce(-sum(affiliate), 0)::bigint AS affiliate,
            coalesce(-sum(base) FILTER (WHERE dispute_id = back.dispute_id), 0)::bigint
                AS taken_base,
            coalesce(-sum(affiliate) FILTER (WHERE dispute_id = back.dispute_id), 0)::bigint
                AS taken_affiliate
        FROM payouts_earning
        WHERE payment_id = back.payment_id AND reverses_id IS NOT NULL
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

COLUMNS = sql.SQL("""
    id, account_id, connection_id, partner_id, payment_id, refund_id, dispute_id, is_won,
    reverses_id, authority_id, currency, fee_rate, affiliate_rate, referral_id, base, gross, fee,
    affiliate, net, earned_at, earned_on
""")
COLLECT = sql.SQL("""
    WITH added AS (
        INSERT INTO payouts_earning ({columns}) SELECT {columns} FROM ({rows}) rows
        ON CONFLICT DO NOTHING RETURNING *
    ), booked AS (
        INSERT INTO billing_transfer (connection_id, kind, debit, credit, amount, document, at)
        SELECT added.account_id, moved.kind, moved.debit, moved.credit, abs(moved.amount),
            added.id, added.earned_at
        FROM added
        CROSS JOIN LATERAL (
            VALUES
                (net, 'EARNED', 'HELD', 'PAYABLE', 'EARNING_BACK'),
                (fee, 'FEE_EARNED', 'HELD', 'FEES', 'FEE_BACK'),
                (affiliate, 'REFERRAL_EARNED', 'HELD', 'REFERRALS', 'REFERRAL_BACK')
        ) AS part (amount, forth, held, owed, back)
        CROSS JOIN LATERAL (
            SELECT part.amount,
                CASE WHEN part.amount > 0 THEN forth ELSE back END AS kind,
                CASE WHEN part.amount > 0 THEN held ELSE owed END AS debit,
                CASE WHEN part.amount > 0 THEN owed ELSE held END AS credit
        ) moved
        WHERE moved.amount <> 0
        ORDER BY added.id
    ), {shared}
    SELECT count(*) FROM added
""")


def collect_earnings() -> int:
    """Collect the earnings of all that was paid or went back. Returns how many were added."""
    added = 0
    freeze_referrals()
    for accounts in _pages(_owing()):
        for rows in (PAYMENTS, BACK):
            while found := _collect(rows, accounts):
                added += found
    return added


def _owing() -> list[UUID]:
    with database.cursor() as cursor:
        cursor.execute(OWING)
        return [pk for (pk,) in cursor.fetchall()]


def _pages(accounts: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    for first in range(0, len(accounts), PARTNERS):
        yield accounts[first : first + PARTNERS]


@transaction.atomic
def _collect(rows: sql.Composed, accounts: Sequence[UUID]) -> int:
    """One chunk, under the locks of its Partners: two of them at the same refunds would differ."""
    held = Connection.objects.select_for_update(no_key=True).filter(among("pk", accounts))
    list(held.order_by("pk").values_list("pk", flat=True))
    with database.cursor() as cursor:
        cursor.execute(
            COLLECT.format(columns=COLUMNS, rows=rows, shared=OUT_OF_EARNINGS), [array_of(accounts)]
        )
        (added,) = cursor.fetchone()
    return int(added)
