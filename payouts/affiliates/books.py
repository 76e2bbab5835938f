"""Whether the books of referrals agree: shares, earnings that bear them, payouts, credits."""

from psycopg import sql

from billing.books.comparison import Comparison

from .parts import IS_OF, RETURNS

PAID = sql.SQL("""
    JOIN billing_payment payment ON payment.id = share.payment_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
""")

# A share is the frozen rate of the base after its fee; all of it is gone if the payment is.
RATES = Comparison(
    "{what} is {one}, and should be {other}.",
    sql.SQL("""
    WITH returned AS (
        SELECT known.payment_id, sum(back.amount) AS gross, -sum(base) AS base,
            -sum(known.amount) AS amount
        FROM payouts_affiliateshare known JOIN {returns} back ON {is_of}
        GROUP BY known.payment_id
    )
    SELECT share.connection_id AS owner, invoice.number, aspect AS what, one, other,
        true AS is_money
    FROM payouts_affiliateshare share
    {paid}
    LEFT JOIN returned USING (payment_id)
    CROSS JOIN LATERAL (
        VALUES
            (
                'The share of a referral', share.amount,
                ((share.base - (share.base * share.fee_rate + 5000) / 10000) * share.rate + 5000)
                    / 10000
            ),
            (
                'The share that went back', coalesce(returned.amount, 0),
                CASE WHEN returned.gross = payment.amount THEN share.amount
                    ELSE least(coalesce(returned.amount, 0), share.amount) END
            ),
            (
                'The base that went back', coalesce(returned.base, 0),
                CASE WHEN returned.gross = payment.amount THEN share.base
                    ELSE least(coalesce(returned.base, 0), share.base) END
            )
    ) AS found (aspect, one, other)
    WHERE share.reverses_id IS NULL AND one <> other
    """).format(paid=PAID, returns=RETURNS, is_of=IS_OF),
)

# What a Partner gave up is what a referrer got.
BORNE = Comparison(
    "{what} is {one}, and the referrer's is {other}.",
    sql.SQL("""
    SELECT earning.account_id AS owner, invoice.number, 'The affiliate share' AS what,
        earning.affiliate AS one, taken.amount AS other, true AS is_money
    FROM payouts_earning earning
    JOIN billing_payment payment ON payment.id = earning.payment_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
    LEFT JOIN payouts_affiliateshare taken ON taken.earning_id = earning.id
    WHERE (earning.referral_id IS NOT NULL OR taken.id IS NOT NULL)
        AND earning.affiliate IS DISTINCT FROM taken.amount
    """),
)

# An affiliate payout is its shares, and its credit is what it comes to.
SUMS = Comparison(
    "{what} is {one}, but its rows come to {other}.",
    sql.SQL("""
    SELECT payout.connection_id AS owner, NULL::bigint AS number,
        aspect || ' of the affiliate payout of ' || to_char(period_start, 'FMDD Mon YYYY') AS what,
        one, other, true AS is_money
    FROM payouts_affiliatepayout payout
    LEFT JOIN billing_credit credit ON credit.id = payout.credit_id
    LEFT JOIN (
        SELECT payout_id, sum(amount) AS amount FROM payouts_affiliateshare GROUP BY payout_id
    ) shares ON shares.payout_id = payout.id
    CROSS JOIN LATERAL (
        VALUES
            ('What was earned', payout.earned, coalesce(shares.amount, 0)),
            (
                'What went into the wallet',
                CASE payout.state WHEN 'APPLIED' THEN payout.amount ELSE 0 END,
                coalesce(credit.amount, 0)
            )
    ) AS found (aspect, one, other)
    WHERE one <> other
    """),
)
LOTS = Comparison(
    "{what} is {one}, and was paid as {other}.",
    sql.SQL("""
    SELECT credit.connection_id AS owner, NULL::bigint AS number,
        'The credit “' || credit.reason || '”' AS what, credit.amount AS one,
        payout.amount AS other, true AS is_money
    FROM billing_credit credit
    LEFT JOIN payouts_affiliatepayout payout ON payout.credit_id = credit.id
    WHERE credit.origin = 'AFFILIATE' AND credit.amount IS DISTINCT FROM payout.amount
    """),
)

# Every share has its transfer, and the account of the referrer is what is owed to it.
TRANSFERS = Comparison(
    "{what} is {one} by its document, {other} in the ledger.",
    sql.SQL("""
    WITH due AS (
        SELECT share.account_id AS connection_id, share.id AS document, invoice.number,
            CASE WHEN share.amount > 0 THEN 'SHARE_EARNED' ELSE 'SHARE_BACK' END AS kind,
            abs(share.amount) AS amount
        FROM payouts_affiliateshare share
        {paid}
        WHERE share.amount <> 0
    )
    SELECT coalesce(due.connection_id, moved.connection_id) AS owner, due.number,
        concat_ws(
            ' ', %(movements)s::jsonb ->> coalesce(due.kind, moved.kind),
            CASE WHEN due.document IS NULL THEN '#' || moved.id END
        ) AS what,
        due.amount AS one, moved.amount AS other, true AS is_money
    FROM due
    FULL JOIN (
        SELECT * FROM billing_transfer WHERE kind IN ('SHARE_EARNED', 'SHARE_BACK')
    ) moved ON moved.document = due.document AND moved.kind = due.kind
        AND moved.connection_id = due.connection_id
    WHERE due.amount IS DISTINCT FROM moved.amount
    """).format(paid=PAID),
)
CONTROL = Comparison(
    "{what} is {one} by the ledger, {other} by the documents.",
    sql.SQL("""
    WITH ledger AS (
        SELECT connection_id, account,
            CASE account WHEN 'COMMISSION' THEN sum(amount) ELSE -sum(amount) END AS amount
        FROM (
            SELECT connection_id, debit AS account, amount FROM billing_transfer
            UNION ALL SELECT connection_id, credit, -amount FROM billing_transfer
        ) sides
        WHERE account = ANY(%(of_affiliates)s)
        GROUP BY connection_id, account
    ),
    documents AS (
        SELECT connection_id, account, sum(amount) AS amount
        FROM (
            SELECT account_id AS connection_id, part.account, amount
            FROM payouts_affiliateshare
            CROSS JOIN (VALUES ('COMMISSION'), ('REFERRER')) AS part (account)
            UNION ALL
            SELECT connection_id, 'REFERRER', -amount FROM payouts_affiliatepayout
            WHERE state = 'APPLIED'
        ) rows
        GROUP BY connection_id, account
    )
    SELECT connection_id AS owner, NULL::bigint AS number,
        %(accounts)s::jsonb ->> account AS what,
        coalesce(ledger.amount, 0) AS one, coalesce(documents.amount, 0) AS other, true AS is_money
    FROM ledger FULL JOIN documents USING (connection_id, account)
    WHERE coalesce(ledger.amount, 0) <> coalesce(documents.amount, 0)
    """),
)

# What was paid for a base subscription in the months of a referral, though nobody got a share.
MISSED = Comparison(
    "{what} is {one}, and its share is {other}.",
    sql.SQL("""
    SELECT referral.account_id AS owner, invoice.number, 'The payment' AS what,
        payment.amount AS one, NULL::bigint AS other, true AS is_money
    FROM payouts_referral referral
    JOIN billing_payment payment
        ON payment.connection_id = referral.connection_id AND payment.state = 'SUCCEEDED'
    JOIN connections_connection account ON account.id = referral.account_id
    JOIN connections_organization platform ON platform.id = account.provider_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
    CROSS JOIN LATERAL (
        SELECT (payment.settled_at AT TIME ZONE platform.time_zone)::date AS earned_on
    ) day
    WHERE referral.rate > 0 AND day.earned_on >= referral.starts_on
        AND (referral.ends_on IS NULL OR day.earned_on < referral.ends_on)
        AND EXISTS (
            SELECT 1 FROM payouts_affiliatepayout closed
            WHERE closed.connection_id = referral.account_id
            AND closed.period_start > day.earned_on
        )
        -- Without corrections it is plain that some of it paid the base.
        AND EXISTS (
            SELECT 1 FROM billing_invoiceline line WHERE line.invoice_id = invoice.id
            AND line.kind = 'PLAN' AND line.measure = '' AND line.amount > 0
        )
        AND NOT EXISTS (SELECT 1 FROM billing_creditnote note WHERE note.invoice_id = invoice.id)
        AND NOT EXISTS (
            SELECT 1 FROM billing_invoiceline line WHERE line.invoice_id = invoice.id
            AND line.amount < 0
        )
        AND NOT EXISTS (
            SELECT 1 FROM payouts_affiliateshare share WHERE share.payment_id = payment.id
        )
    """),
)

COMPARISONS: tuple[Comparison, ...] = (RATES, BORNE, TRANSFERS, MISSED, SUMS, LOTS, CONTROL)
