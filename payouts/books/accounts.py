"""The documents of payouts beside the ledger."""

from psycopg import sql

from billing.books.comparison import Comparison

# Every document has its transfers, of its amount, and every transfer has its document.
TRANSFERS = Comparison(
    "{what} is {one} by its document, {other} in the ledger.",
    sql.SQL("""
    WITH due (connection_id, kind, document, amount, payment_id) AS (
        SELECT account_id, CASE WHEN part.amount > 0 THEN forth ELSE back END, id,
            abs(part.amount), payment_id
        FROM payouts_earning
        CROSS JOIN LATERAL (
            VALUES (net, 'EARNED', 'EARNING_BACK'), (fee, 'FEE_EARNED', 'FEE_BACK'),
                (affiliate, 'REFERRAL_EARNED', 'REFERRAL_BACK')
        ) AS part (amount, forth, back)
        WHERE part.amount <> 0
        UNION ALL
        SELECT connection_id, kind, id, amount, NULL
        FROM payouts_banktransfer
        CROSS JOIN LATERAL (
            VALUES ('PAYOUT_SENT', true),
                ('PAYOUT_PAID', state = 'SUCCEEDED' OR returned_at IS NOT NULL),
                ('PAYOUT_FAILED', state = 'FAILED' AND returned_at IS NULL),
                ('PAYOUT_RETURNED', returned_at IS NOT NULL)
        ) AS moved (kind, has_happened)
        WHERE has_happened
    )
    SELECT coalesce(due.connection_id, moved.connection_id) AS owner, invoice.number,
        concat_ws(
            ' ', %(movements)s::jsonb ->> coalesce(due.kind, moved.kind),
            CASE WHEN due.document IS NULL THEN '#' || moved.id END
        ) AS what,
        due.amount AS one, moved.amount AS other, true AS is_money
    FROM due
    FULL JOIN (
        SELECT * FROM billing_transfer
        WHERE debit = ANY(%(of_payouts)s) AND kind <> 'PAYOUT_CREDITED'
    ) moved ON moved.document = due.document AND moved.kind = due.kind
        AND moved.connection_id = due.connection_id
    LEFT JOIN billing_payment payment ON payment.id = due.payment_id
    LEFT JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
    WHERE due.amount IS DISTINCT FROM moved.amount
    """),
)

# The accounts beside what the documents come to; what is owed or earned is on the credit side.
CONTROL = Comparison(
    "{what} is {one} by the ledger, {other} by the documents.",
    sql.SQL("""
    WITH ledger AS (
        SELECT connection_id, account,
            CASE account WHEN 'HELD' THEN sum(amount) ELSE -sum(amount) END AS amount
        FROM (
            SELECT connection_id, debit AS account, amount FROM billing_transfer
            UNION ALL SELECT connection_id, credit, -amount FROM billing_transfer
        ) sides
        WHERE account = ANY(%(of_payouts)s)
        GROUP BY connection_id, account
    ),
    documents AS (
        SELECT connection_id, account, sum(amount) AS amount
        FROM (
            SELECT account_id AS connection_id, part.account, part.amount
            FROM payouts_earning
            CROSS JOIN LATERAL (
                VALUES ('HELD', gross), ('PAYABLE', net), ('FEES', fee), ('REFERRALS', affiliate)
            ) AS part (account, amount)
            UNION ALL
            SELECT connection_id, 'PAYABLE', -credited FROM payouts_settlement
            UNION ALL
            SELECT connection_id, part.account, part.amount
            FROM payouts_banktransfer
            CROSS JOIN LATERAL (
                VALUES
                    ('PAYABLE', CASE state WHEN 'FAILED' THEN 0 ELSE -amount END),
                    ('HELD', CASE state WHEN 'SUCCEEDED' THEN -amount ELSE 0 END),
                    ('TRANSIT', CASE WHEN settled_at IS NULL THEN amount ELSE 0 END)
            ) AS part (account, amount)
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
