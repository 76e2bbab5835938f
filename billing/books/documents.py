"""Every document has its transfers, of its amount, and every transfer has its document."""

from psycopg import sql

from .comparison import Comparison

# What each document is to move. The last two columns name it: an invoice, or words of its own.
TRANSFERS = Comparison(
    "{what} is {one} by its document, {other} in the ledger.",
    sql.SQL("""
    WITH later AS (
        -- What was lost of an invoice that had been written off.
        SELECT payment.invoice_id, sum(dispute.amount) AS amount
        FROM billing_dispute dispute JOIN billing_payment payment ON payment.id = dispute.payment_id
        WHERE dispute.is_written_off
        GROUP BY payment.invoice_id
    ),
    due (connection_id, kind, document, amount, invoice_id, words) AS (
        SELECT connection_id, 'INVOICED', id, total, id, '' FROM billing_invoice WHERE total > 0
        UNION ALL
        SELECT connection_id, 'VOIDED', id, outstanding, id, '' FROM billing_invoice
        WHERE state = 'VOID' AND outstanding > 0
        UNION ALL
        SELECT invoice.connection_id, 'WRITTEN_OFF', invoice.id,
            invoice.outstanding - coalesce(later.amount, 0), invoice.id, ''
        FROM billing_invoice invoice LEFT JOIN later ON later.invoice_id = invoice.id
        WHERE invoice.state = 'UNCOLLECTIBLE'
        UNION ALL
        SELECT connection_id, CASE origin WHEN 'REFUND' THEN 'REFUND_CREDITED'
            WHEN 'PAYOUT' THEN 'PAYOUT_CREDITED' WHEN 'AFFILIATE' THEN 'SHARE_CREDITED'
            ELSE 'GRANTED' END, id, amount, NULL, reason
        FROM billing_credit
        UNION ALL
        SELECT connection_id, CASE WHEN invoice_id IS NULL THEN 'DEDUCTED' ELSE 'APPLIED' END,
            id, amount, invoice_id, ''
        FROM billing_creditapplication
        UNION ALL
        SELECT back.connection_id, 'RETURNED', back.id, back.amount, used.invoice_id, ''
        FROM billing_creditreturn back
        JOIN billing_creditapplication used ON used.id = back.application_id
        UNION ALL
        SELECT connection_id, 'PAID', id, amount, invoice_id, '' FROM billing_payment
        WHERE state = 'SUCCEEDED'
        UNION ALL
        SELECT connection_id, 'CORRECTED', id, amount, invoice_id, '' FROM billing_creditnote
        UNION ALL
        SELECT refund.connection_id, kind, refund.id, refund.amount, payment.invoice_id, ''
        FROM billing_refund refund
        JOIN billing_payment payment ON payment.id = refund.payment_id
        JOIN (VALUES ('REFUND_OWED'), ('REFUNDED')) AS moved (kind)
            ON moved.kind = 'REFUND_OWED' OR refund.state = 'SUCCEEDED'
        UNION ALL
        SELECT dispute.connection_id, kind, dispute.id, dispute.amount, payment.invoice_id, ''
        FROM billing_dispute dispute
        JOIN billing_payment payment ON payment.id = dispute.payment_id
        JOIN (
            VALUES ('DISPUTED', NULL), ('DISPUTE_WON', 'WON'), ('DISPUTE_LOST', 'LOST'),
                ('WRITTEN_OFF', 'LOST')
        ) AS moved (kind, at_end) ON coalesce(at_end, dispute.state) = dispute.state
            AND (kind <> 'WRITTEN_OFF' OR dispute.is_written_off)
        WHERE dispute.amount > 0
    )
    SELECT coalesce(due.connection_id, moved.connection_id) AS owner, invoice.number,
        concat_ws(
            ' ',
            %(movements)s::jsonb ->> coalesce(due.kind, moved.kind),
            CASE WHEN due.document IS NULL THEN '#' || moved.id ELSE '“' || nullif(words, '') || '”'
            END
        ) AS what,
        due.amount AS one, moved.amount AS other, true AS is_money
    FROM due
    FULL JOIN (
        SELECT * FROM billing_transfer
        WHERE NOT (debit = ANY(%(of_others)s))
            OR kind IN ('PAYOUT_CREDITED', 'SHARE_CREDITED')
    ) moved ON moved.document = due.document AND moved.kind = due.kind
        AND moved.connection_id = due.connection_id
    LEFT JOIN billing_invoice invoice ON invoice.id = due.invoice_id
    WHERE due.amount IS DISTINCT FROM moved.amount
"""),
)
