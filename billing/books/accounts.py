"""The accounts of each connection beside what its documents come to."""

from psycopg import sql

from .comparison import Comparison

# As the provider sees them: what a wallet holds, is to be refunded or was earned is on the credit
# side, and counted from there.
CONTROL = Comparison(
    "{what} is {one} by the ledger, {other} by the documents.",
    sql.SQL("""
    WITH moved AS (
        SELECT connection_id, debit, credit, sum(amount) AS amount
        FROM billing_transfer GROUP BY connection_id, debit, credit
    ),
    ledger AS (
        SELECT connection_id, account,
            CASE WHEN account IN ('WALLET', 'REFUNDS_DUE', 'REVENUE') THEN -sum(amount)
                ELSE sum(amount) END AS amount
        FROM (
            SELECT connection_id, debit AS account, amount FROM moved
            UNION ALL SELECT connection_id, credit, -amount FROM moved
        ) sides
        WHERE NOT (account = ANY(%(of_others)s))
        GROUP BY connection_id, account
    ),
    documents AS (
        SELECT connection_id, account, sum(amount) AS amount
        FROM (
            SELECT connection_id, account, sum(CASE account
                WHEN 'REVENUE'
                    THEN total - corrected - CASE state WHEN 'VOID' THEN outstanding ELSE 0 END
                WHEN 'RECEIVABLE'
                    THEN CASE WHEN state IN ('OPEN', 'PAST_DUE') THEN outstanding ELSE 0 END
                ELSE CASE state WHEN 'UNCOLLECTIBLE' THEN outstanding ELSE 0 END
            END) AS amount
            FROM billing_invoice
            CROSS JOIN (VALUES ('REVENUE'), ('RECEIVABLE'), ('BAD_DEBT')) AS kinds (account)
            GROUP BY connection_id, account
            UNION ALL
            SELECT connection_id, 'WALLET', amount - applied FROM billing_credit
            UNION ALL
            SELECT connection_id, 'GRANTS', amount FROM billing_credit
            WHERE origin NOT IN ('REFUND', 'PAYOUT', 'AFFILIATE')
            UNION ALL
            SELECT connection_id, 'GRANTS', -amount FROM billing_deduction
            UNION ALL
            SELECT connection_id, 'CASH', amount FROM billing_payment WHERE state = 'SUCCEEDED'
            UNION ALL
            SELECT connection_id, 'CASH', -amount FROM billing_refund WHERE state = 'SUCCEEDED'
            UNION ALL
            SELECT connection_id, 'CASH', -amount FROM billing_dispute WHERE state <> 'WON'
            UNION ALL
            SELECT connection_id, 'DISPUTED', amount FROM billing_dispute WHERE state = 'OPEN'
            UNION ALL
            SELECT connection_id, 'REFUNDS_DUE', amount FROM billing_refund WHERE state = 'INTENT'
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
