"""A payout beside its earnings and its settlements."""

from psycopg import sql

from billing.books.comparison import Comparison
from billing.books.equations import Equation

WEEK = "to_char(payout.period_start, 'FMDD Mon YYYY')"

# A payout is its earnings, and what of it is settled are its settlements.
SUMS = Comparison(
    "{what} is {one}, but its rows come to {other}.",
    sql.SQL("""
    SELECT payout.connection_id AS owner, NULL::bigint AS number,
        'payouts.payout:' || payout.id AS subject,
        aspect || ' of the payout of ' || {week} AS what, one, other, true AS is_money
    FROM payouts_payout payout
    LEFT JOIN (
        SELECT payout_id, sum(gross) AS gross, sum(fee) AS fee, sum(affiliate) AS affiliate
        FROM payouts_earning GROUP BY payout_id
    ) earned ON earned.payout_id = payout.id
    LEFT JOIN (
        SELECT payout_id, sum(credited) AS credited, sum(banked) AS banked
        FROM payouts_settlement GROUP BY payout_id
    ) settled ON settled.payout_id = payout.id
    LEFT JOIN (
        SELECT payout_id, sum(amount) FILTER (WHERE state = 'FAILED') AS failed,
            sum(amount) AS sent
        FROM payouts_banktransfer GROUP BY payout_id
    ) sent ON sent.payout_id = payout.id
    CROSS JOIN LATERAL (
        VALUES
            ('The gross amount', payout.gross, coalesce(earned.gross, 0)),
            ('The fee', payout.fee, coalesce(earned.fee, 0)),
            ('The affiliate share', payout.affiliate, coalesce(earned.affiliate, 0)),
            ('What was credited', payout.credited, coalesce(settled.credited, 0)),
            (
                'What went to the bank', payout.banked,
                coalesce(settled.banked, 0) - coalesce(sent.failed, 0)
            ),
            ('What was to be sent', coalesce(settled.banked, 0), coalesce(sent.sent, 0))
    ) AS found (aspect, one, other)
    WHERE one <> other
    """).format(week=sql.SQL(WEEK)),
)

# Credit from payouts has a settlement.
LOTS = Comparison(
    "{what} is {one}, and was settled as {other}.",
    sql.SQL("""
    SELECT credit.connection_id AS owner, NULL::bigint AS number,
        'The credit “' || credit.reason || '”' AS what,
        credit.amount AS one, settlement.credited AS other, true AS is_money
    FROM billing_credit credit
    LEFT JOIN payouts_settlement settlement ON settlement.credit_id = credit.id
    WHERE credit.origin = 'PAYOUT' AND credit.amount IS DISTINCT FROM settlement.credited
    """),
)

# Of every payout, what was earned went into a wallet or to a bank, is carried on, or is left.
PAYOUTS = Equation(
    "Earnings are credited, sent, or still there",
    "payouts",
    left=(("earned", "Earnings"), ("carried", "Carried in from the week before")),
    right=(
        ("credited", "Credits in wallets"),
        ("banked", "Transfers to banks"),
        ("carried_on", "Carried into the week after"),
        ("unsettled", "What is not settled yet"),
    ),
    rows=sql.SQL("""
        SELECT payout.connection_id AS owner, NULL::bigint AS number,
            'The payout of ' || {week} AS what, 'payouts.payout:' || payout.id AS subject,
            payout.currency, coalesce(earned.net, 0)::bigint AS earned, payout.carried,
            coalesce(settled.credited, 0)::bigint AS credited,
            coalesce(sent.amount, 0)::bigint AS banked,
            CASE payout.state WHEN 'CARRIED' THEN payout.amount ELSE 0 END AS carried_on,
            CASE payout.state WHEN 'CARRIED' THEN 0
                ELSE payout.amount - payout.credited - payout.banked END AS unsettled
        FROM payouts_payout payout
        LEFT JOIN (
            SELECT payout_id, sum(net) AS net FROM payouts_earning GROUP BY payout_id
        ) earned ON earned.payout_id = payout.id
        LEFT JOIN (
            SELECT payout_id, sum(credited) AS credited FROM payouts_settlement GROUP BY payout_id
        ) settled ON settled.payout_id = payout.id
        LEFT JOIN (
            SELECT payout_id, sum(amount) AS amount FROM payouts_banktransfer
            WHERE state <> 'FAILED' GROUP BY payout_id
        ) sent ON sent.payout_id = payout.id
    """).format(week=sql.SQL(WEEK)),
)
