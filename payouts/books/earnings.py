"""What was collected, and whose it became."""

from psycopg import sql

from billing.books.comparison import Comparison
from billing.books.equations import Equation
from payouts.affiliates.parts import IS_OF, RETURNS

# Where the number of an earning's invoice is found.
INVOICE = sql.SQL("""
    JOIN billing_payment payment ON payment.id = earning.payment_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
""")

# What was collected is the Partner's share, the fee and the affiliate's share; what went back, too.
COLLECTED = Comparison(
    "{what} is {one}, and should be {other}.",
    sql.SQL("""
    WITH returned AS (
        SELECT payment_id, sum(gross) AS gross, sum(fee) AS fee, sum(affiliate) AS affiliate
        FROM payouts_earning WHERE reverses_id IS NOT NULL GROUP BY payment_id
    )
    SELECT earning.account_id AS owner, invoice.number, 'billing.invoice:' || invoice.id AS subject,
        aspect AS what, one, other, true AS is_money
    FROM payouts_earning earning
    {invoice}
    LEFT JOIN returned USING (payment_id)
    LEFT JOIN billing_billingrequest request ON request.id = earning.authority_id
    LEFT JOIN billing_planversion tier ON tier.id = request.plan_version_id
    CROSS JOIN LATERAL (
        SELECT (earning.gross * coalesce(tier.transaction_fee, 0) + 5000) / 10000 AS taken,
            (-coalesce(returned.gross, 0)::bigint * earning.fee_rate + 5000) / 10000 AS back
    ) fees
    CROSS JOIN LATERAL (
        VALUES
            ('The earning', earning.gross, payment.amount),
            ('The transaction fee', earning.fee, fees.taken),
            ('The transaction fee given back', -coalesce(returned.fee, 0)::bigint, fees.back),
            (
                'The affiliate share', earning.affiliate,
                ((earning.base - (earning.base * earning.fee_rate + 5000) / 10000)
                    * earning.affiliate_rate + 5000) / 10000
            ),
            (
                'The affiliate share taken back', -coalesce(returned.affiliate, 0)::bigint,
                CASE WHEN -returned.gross = earning.gross THEN earning.affiliate
                    ELSE least(-coalesce(returned.affiliate, 0)::bigint, earning.affiliate) END
            )
    ) AS found (aspect, one, other)
    WHERE earning.reverses_id IS NULL AND one <> other
    UNION ALL
    SELECT known.account_id, invoice.number, 'billing.invoice:' || invoice.id,
        'An earning taken back', known.gross, -back.amount, true
    FROM payouts_earning known
    JOIN billing_payment payment ON payment.id = known.payment_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
    LEFT JOIN {returns} back ON {is_of}
    WHERE known.reverses_id IS NOT NULL AND known.gross IS DISTINCT FROM -back.amount
    """).format(invoice=INVOICE, returns=RETURNS, is_of=IS_OF),
)

# What nobody collected though a later week of the Partner is closed.
MISSED = Comparison(
    "{what} is {one}, and its earning is {other}.",
    sql.SQL("""
    SELECT account.id AS owner, invoice.number, 'billing.invoice:' || invoice.id AS subject,
        money.what, money.amount AS one,
        NULL::bigint AS other, true AS is_money
    FROM (
        SELECT connection_id, invoice_id, 'The payment' AS what, amount, settled_at
        FROM billing_payment payment WHERE state = 'SUCCEEDED' AND NOT EXISTS (
            SELECT 1 FROM payouts_earning WHERE payment_id = payment.id AND reverses_id IS NULL
        )
        UNION ALL
        SELECT back.connection_id, payment.invoice_id,
            CASE WHEN back.dispute_id IS NULL THEN 'The refund' ELSE 'The dispute' END,
            -back.amount, back.settled_at
        FROM {returns} back JOIN billing_payment payment ON payment.id = back.payment_id
        WHERE NOT EXISTS (SELECT 1 FROM payouts_earning known WHERE {is_of})
    ) money
    JOIN connections_connection sub ON sub.id = money.connection_id
    JOIN connections_connection account
        ON account.customer_id = sub.provider_id AND account.provider_kind = 'PLATFORM'
    JOIN connections_organization platform ON platform.id = account.provider_id
    JOIN billing_invoice invoice ON invoice.id = money.invoice_id
    WHERE EXISTS (
        SELECT 1 FROM payouts_payout WHERE connection_id = account.id
        AND period_start > (money.settled_at AT TIME ZONE platform.time_zone)::date
    )
    """).format(returns=RETURNS, is_of=IS_OF),
)

# Of every invoice of a Sub-Org, what was collected is somebody's, went back, or is not shared yet.
INVOICES = Equation(
    "What was collected is shared out",
    "invoices of Sub-Orgs",
    left=(("collected", "Collected by card"),),
    right=(
        ("share", "The Partners’ shares"),
        ("fee", "The transaction fees"),
        ("affiliate", "The affiliate shares"),
        ("refunded", "Refunds"),
        ("disputed", "Disputes that are open or lost"),
        ("waiting", "What is not shared out yet"),
    ),
    rows=sql.SQL("""
        SELECT invoice.connection_id AS owner, invoice.number, 'What was collected' AS what,
            'billing.invoice:' || invoice.id AS subject, invoice.currency,
            sum(payment.amount)::bigint AS collected, sum(coalesce(shared.net, 0))::bigint AS share,
            sum(coalesce(shared.fee, 0))::bigint AS fee,
            sum(coalesce(shared.affiliate, 0))::bigint AS affiliate,
            sum(coalesce(gone.refunded, 0))::bigint AS refunded,
            sum(coalesce(gone.disputed, 0))::bigint AS disputed,
            sum(
                CASE WHEN shared.is_collected THEN 0 ELSE payment.amount END
                - coalesce(gone.waiting, 0)
            )::bigint AS waiting
        FROM billing_invoice invoice
        JOIN connections_connection sub
            ON sub.id = invoice.connection_id AND sub.provider_kind = 'PARTNER'
        JOIN billing_payment payment
            ON payment.invoice_id = invoice.id AND payment.state = 'SUCCEEDED'
        LEFT JOIN (
            SELECT payment_id, sum(net) AS net, sum(fee) AS fee, sum(affiliate) AS affiliate,
                bool_or(reverses_id IS NULL) AS is_collected
            FROM payouts_earning GROUP BY payment_id
        ) shared ON shared.payment_id = payment.id
        LEFT JOIN (
            SELECT back.payment_id,
                sum(back.amount) FILTER (WHERE back.refund_id IS NOT NULL) AS refunded,
                sum(back.amount) FILTER (WHERE back.dispute_id IS NOT NULL) AS disputed,
                sum(back.amount) FILTER (WHERE known.id IS NULL) AS waiting
            FROM {returns} back LEFT JOIN payouts_earning known ON {is_of}
            GROUP BY back.payment_id
        ) gone ON gone.payment_id = payment.id
        GROUP BY invoice.id
    """).format(returns=RETURNS, is_of=IS_OF),
)
