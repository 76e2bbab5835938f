"""Parts of amounts, as statements compute them: a fee, the base subscription, a referrer's share.

Each fragment joins what it computes under a name of its own. All amounts are minor units of zero or
more; halves of a cent go to the earlier part, which is the rule of `pricing.allocate`.
"""

from psycopg import sql


def part(amount: str, rate: str) -> sql.Composed:
    """`rate` hundredths of a percent of an expression."""
    rule = "(({amount}) * {rate} + 5000) / 10000"
    return sql.SQL(rule).format(amount=sql.SQL(amount), rate=sql.SQL(rate))


# Lines that charge the days of a plan: no add-on, no one-time charge, no usage.
IS_BASE = sql.SQL("line.kind = 'PLAN' AND line.measure = ''")

# `base.amount` of a `payment`, in proportion to the lines of its invoice as they stood when it
# succeeded. Nothing where `referral` does not earn on the day.
BASE_PAID = sql.SQL("""
    LEFT JOIN LATERAL (
        SELECT (2 * payment.amount * least(greatest(sums.base, 0), sums.total) + sums.total)
            / (2 * sums.total) AS amount
        FROM (
            SELECT coalesce(sum(charged.amount) FILTER (WHERE charged.is_base), 0)::bigint AS base,
                sum(charged.amount)::bigint AS total
            FROM (
                SELECT line.amount, {is_base} AS is_base
                FROM billing_invoiceline line WHERE line.invoice_id = payment.invoice_id
                UNION ALL
                SELECT -taken.amount, {is_base}
                FROM billing_creditnote note
                JOIN billing_creditnoteline taken ON taken.note_id = note.id
                JOIN billing_invoiceline line ON line.id = taken.line_id
                WHERE note.invoice_id = payment.invoice_id AND note.issued_at < payment.settled_at
            ) charged
        ) sums
        WHERE sums.total > 0 AND referral.rate > 0 AND day.earned_on >= referral.starts_on
            AND (referral.ends_on IS NULL OR day.earned_on < referral.ends_on)
    ) base ON true
""").format(is_base=IS_BASE)

# `share.affiliate` of what `base.amount` leaves after its fee.
SHARE = sql.SQL("""
    CROSS JOIN LATERAL (SELECT {fee} AS fee) base_fee
    CROSS JOIN LATERAL (SELECT {affiliate} AS affiliate) share
""")


def share(base: str, *, fee_rate: str, rate: str) -> sql.Composed:
    """Joins that give `share.affiliate` of an expression."""
    return SHARE.format(fee=part(base, fee_rate), affiliate=part(f"{base} - base_fee.fee", rate))


# What went back of payments: refunds, and disputes, which come again below zero once they are won.
RETURNS = sql.SQL("""
    (
        SELECT id, connection_id, payment_id, id AS refund_id, NULL::uuid AS dispute_id,
            false AS is_won, note_id, amount, settled_at
        FROM billing_refund WHERE state = 'SUCCEEDED'
        UNION ALL
        SELECT id, connection_id, payment_id, NULL, id, false, NULL, amount, opened_at
        FROM billing_dispute WHERE amount > 0
        UNION ALL
        SELECT id, connection_id, payment_id, NULL, id, true, NULL, -amount, closed_at
        FROM billing_dispute WHERE amount > 0 AND state = 'WON'
    )
""")
# Whether a row `known` is that of `back`, one of these.
IS_OF = sql.SQL("""
    known.payment_id = back.payment_id AND known.reverses_id IS NOT NULL AND (
        known.refund_id = back.refund_id
        OR known.dispute_id = back.dispute_id AND known.is_won = back.is_won
    )
""")

# What of `back`, one of these, goes back to whom: `part.fee`, `part.base` and `part.affiliate`,
# beside what went back of the same `sale` before (`known`: gross, base, affiliate; and of the same
# dispute `taken_base`, `taken_affiliate`).
#
# A refund takes as much of the base as its credit note does, a dispute in proportion to the whole.
# The bounds see to it that neither part goes back beyond what was paid, that no part is below zero,
# and that a payment which went back whole leaves nothing behind, in whichever steps it did. Won, a
# dispute gives the base back that it took; the rest follows from what is still gone then, so that
# a payment of which nothing is gone any more has all its shares again.
TAKEN_BACK = sql.SQL("""
    LEFT JOIN LATERAL (
        SELECT (2 * back.amount * sum(taken.amount) FILTER (WHERE {is_base})
            + sum(taken.amount))::bigint / (2 * sum(taken.amount))::bigint AS base
        FROM billing_creditnoteline taken JOIN billing_invoiceline line ON line.id = taken.line_id
        WHERE taken.note_id = back.note_id AND sale.base > 0
    ) noted ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN back.dispute_id IS NULL THEN coalesce(noted.base, 0)
            ELSE (2 * back.amount * sale.base + sale.gross) / (2 * sale.gross) END AS base
    ) asked
    CROSS JOIN LATERAL (
        SELECT known.gross + back.amount AS gross, {fee_before} AS fee_before, {fee_after} AS fee,
            CASE WHEN back.is_won THEN known.base - known.taken_base
                ELSE greatest(
                    least(known.base + asked.base, sale.base),
                    known.gross + back.amount - (sale.gross - sale.base)
                )
            END AS base
    ) so_far
    CROSS JOIN LATERAL (SELECT {base_fee} AS fee) base_fee
    CROSS JOIN LATERAL (
        SELECT so_far.fee - so_far.fee_before AS fee, so_far.base - known.base AS base,
            CASE WHEN back.is_won THEN -greatest(
                0,
                known.affiliate - (so_far.gross - so_far.fee),
                least(
                    known.taken_affiliate, known.affiliate,
                    -back.amount - (so_far.fee_before - so_far.fee)
                )
            ) ELSE greatest(
                known.affiliate,
                sale.affiliate - (sale.gross - sale.fee - so_far.gross + so_far.fee),
                least(
                    {affiliate}, sale.affiliate,
                    known.affiliate + back.amount - (so_far.fee - so_far.fee_before)
                )
            ) - known.affiliate END AS affiliate
    ) part
""").format(
    is_base=IS_BASE,
    fee_before=part("known.gross", "sale.fee_rate"),
    fee_after=part("known.gross + back.amount", "sale.fee_rate"),
    base_fee=part("so_far.base", "sale.fee_rate"),
    affiliate=part("so_far.base - base_fee.fee", "sale.affiliate_rate"),
)
