"""Whether the books of payouts agree: earnings, payouts and what was settled, with the ledger.

`billing.books` runs these after its own comparisons; the settings list them. Every one is a
statement that gives a row for each difference, as `Comparison` says.
"""

from psycopg import sql

from billing.books.comparison import Comparison
from billing.books.equations import Equation

from .affiliates.parts import IS_OF, RETURNS

# Where the number of an earning's invoice is found.
INVOICE = sql.SQL("""
    JOIN billing_payment payment ON payment.id = earning.payment_id
    JOIN billing_invoice invoice ON invoice.id = payment.invoice_id
""")
WEEK = "to_char(payout.period_start, 'FMDD Mon YYYY')"

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

EQUATIONS: tuple[Equation, ...] = (INVOICES, PAYOUTS)
COMPARISONS: tuple[Comparison, ...] = (
    *(TRANSFERS, COLLECTED, MISSED, SUMS, LOTS, CONTROL),
    *(equation.comparison for equation in EQUATIONS),
)
