"""The floor under a billing run: SQL that writes the same rows into the same tables, set by set.

It knows neither what was approved nor what has changed meanwhile: monthly items that began on one
day, each billed for one whole period. Nothing that keeps the constraints can be much faster.
"""

from datetime import date, datetime
from typing import Any

# Analysed, or the planner takes each temporary table for ten rows or for a thousand.
TABLES = """
SET jit = off;
CREATE TEMPORARY TABLE due (
    subscription uuid, connection uuid, provider uuid, invoice uuid, number bigint, on_day date,
    until date, total bigint, kind text, credited bigint, provider_name text, customer_name text,
    provider_details jsonb, customer_details jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE applied (
    id uuid, credit uuid, invoice uuid, connection uuid, amount bigint
) ON COMMIT DELETE ROWS;
"""
LOCK = """
SELECT id FROM connections_connection WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
"""
PICK = """
SELECT connection_id FROM billing_subscription
WHERE end_date IS NULL AND next_invoice_date <= %(on)s AND connection_id > %(after)s
ORDER BY connection_id LIMIT %(size)s
"""
NUMBER = """
WITH owed AS (
    SELECT s.id, s.connection_id, c.provider_id, c.customer_id, s.next_invoice_date AS on_day,
        min((i.anchor_date + n.number * interval '1 month')::date) AS until,
        sum(i.unit_price * i.quantity)::bigint AS total
    FROM billing_subscription s
    JOIN connections_connection c ON c.id = s.connection_id
    JOIN billing_subscriptionitem i ON i.subscription_id = s.id AND i.end_date IS NULL,
    LATERAL (SELECT 1 + (extract(year FROM age(s.next_invoice_date, i.anchor_date)) * 12
        + extract(month FROM age(s.next_invoice_date, i.anchor_date)))::int AS number) n
    WHERE s.connection_id = ANY(%(ids)s) AND s.end_date IS NULL
    GROUP BY s.id, c.id
), counted AS (
    SELECT provider_id, count(*) AS number FROM owed GROUP BY 1 ORDER BY 1
), taken AS (
    INSERT INTO billing_invoiceseries AS series (provider_id, last_number, last_note)
    SELECT provider_id, number, 0 FROM counted
    ON CONFLICT (provider_id) DO UPDATE SET last_number = series.last_number + EXCLUDED.last_number
    RETURNING provider_id, last_number
)
INSERT INTO due
SELECT owed.id, owed.connection_id, owed.provider_id, {new_id}(),
    taken.last_number - counted.number
        + row_number() OVER (PARTITION BY owed.provider_id ORDER BY owed.connection_id),
    on_day, until, total, 'SUBSCRIPTION', 0, provider.name, customer.name,
    jsonb_build_object('name', coalesce(nullif(provider.legal_name, ''), provider.name),
        'address', provider.address, 'email', provider.billing_email,
        'tax_number', provider.tax_number),
    jsonb_build_object('name', coalesce(nullif(customer.legal_name, ''), customer.name),
        'address', customer.address, 'email', customer.billing_email,
        'tax_number', customer.tax_number)
FROM owed JOIN taken USING (provider_id) JOIN counted USING (provider_id)
JOIN connections_organization provider ON provider.id = owed.provider_id
JOIN connections_organization customer ON customer.id = owed.customer_id
"""
# Credits and invoices of a connection laid end to end: what overlaps is applied.
APPLY = """
INSERT INTO applied
SELECT {new_id}(), credits.id, due.invoice, due.connection,
    least(due.total, credits.until) - credits.since
FROM due JOIN (
    SELECT id, connection_id, sum(amount - applied) OVER w AS until,
        sum(amount - applied) OVER w - (amount - applied) AS since
    FROM billing_credit
    WHERE applied < amount AND connection_id IN (SELECT connection FROM due)
    WINDOW w AS (PARTITION BY connection_id ORDER BY issued_at, id)
) credits ON credits.connection_id = due.connection AND credits.since < due.total
"""
SUM_CREDITS = """
UPDATE due SET credited = sums.amount
FROM (SELECT invoice, sum(amount) AS amount FROM applied GROUP BY 1) sums
WHERE sums.invoice = due.invoice
"""
WRITE = (
    """
INSERT INTO billing_invoice (id, connection_id, provider_id, number, state, kind, currency, total,
    credited, paid, held, corrected, attempts, is_stuck, collect_on, period_start, period_end,
    issue_date, due_date, issued_at, provider_details, customer_details)
SELECT invoice, connection, provider, number, CASE total WHEN 0 THEN 'PAID' ELSE 'OPEN' END, kind,
    'USD', total, 0, 0, 0, 0, 0, false, CASE WHEN total > credited THEN on_day END, on_day, until,
    on_day, on_day + 14, %(at)s, provider_details, customer_details
FROM due ORDER BY connection
""",
    """
INSERT INTO billing_invoiceline (connection_id, invoice_id, request_id, item_id, position, kind,
    measure, description, quantity, unit_price, amount, period_start, period_end)
SELECT due.connection, due.invoice, item.request_id, item.id,
    row_number() OVER (PARTITION BY due.invoice ORDER BY item.kind DESC, item.start_date, item.id),
    item.kind, '',
    CASE item.quantity WHEN 1 THEN '' ELSE item.quantity || ' × ' END || item.name || ', '
        || to_char(due.on_day, CASE WHEN extract(year FROM due.on_day)
            = extract(year FROM due.until - 1) THEN 'FMDD Mon' ELSE 'FMDD Mon YYYY' END)
        || ' – ' || to_char(due.until - 1, 'FMDD Mon YYYY'),
    item.quantity, item.unit_price, item.quantity * item.unit_price, due.on_day, due.until
FROM due JOIN billing_subscriptionitem item
    ON item.subscription_id = due.subscription AND item.end_date IS NULL
ORDER BY due.connection, item.kind DESC, item.start_date, item.id
""",
    """
INSERT INTO billing_creditapplication (id, connection_id, credit_id, invoice_id, amount, returned,
    applied_at)
SELECT id, connection, credit, invoice, amount, 0, %(at)s FROM applied ORDER BY connection
""",
    """
INSERT INTO billing_transfer (connection_id, kind, debit, credit, amount, document, at)
SELECT connection, 'INVOICED', 'RECEIVABLE', 'REVENUE', total, invoice, %(at)s
FROM due WHERE total > 0
UNION ALL
SELECT connection, 'APPLIED', 'WALLET', 'RECEIVABLE', amount, id, %(at)s FROM applied
""",
    """
WITH event AS (
    INSERT INTO connections_event (code, at, recorded_at, organization_id, connection_id,
        subject_type, subject_id, facts, origin)
    SELECT 'invoice.issued', %(at)s, now(), provider, connection, 'billing.invoice', invoice::text,
        jsonb_build_object(
            'number', number,
            'code', 'INV-' || lpad(number::text, greatest(5, length(number::text)), '0'),
            'amount', jsonb_build_object('minor', total, 'currency', 'USD'),
            'credited', jsonb_build_object('minor', credited, 'currency', 'USD'),
            'payable', jsonb_build_object('minor', total - credited, 'currency', 'USD'),
            'due', jsonb_build_object('date', on_day + 14),
            'provider', provider_name, 'customer', customer_name),
        '{}'
    FROM due ORDER BY connection
    RETURNING id
)
INSERT INTO connections_outbox (event_id, problem) SELECT id, '' FROM event
""",
    """
UPDATE billing_subscriptionitem item SET billed_to = due.until
FROM due WHERE item.subscription_id = due.subscription AND item.end_date IS NULL
""",
    """
UPDATE billing_subscription subscription SET next_invoice_date = due.until
FROM due WHERE subscription.id = due.subscription
""",
)


def bill(connection: Any, on: date, at: datetime, size: int) -> int:
    """Bill in transactions of `size` over psycopg's `connection`. Returns how many."""
    cursor = connection.cursor()
    cursor.execute(TABLES)
    # Before version 18, PostgreSQL has no ids that grow.
    new_id = "uuidv7" if connection.info.server_version >= 180_000 else "gen_random_uuid"
    after, issued = "00000000-0000-0000-0000-000000000000", 0
    while True:
        with connection.transaction():
            cursor.execute(PICK, {"on": on, "after": after, "size": size})
            ids = [key for (key,) in cursor.fetchall()]
            if not ids:
                return issued
            cursor.execute(LOCK, {"ids": ids})
            cursor.execute(NUMBER.format(new_id=new_id), {"ids": ids})
            issued += cursor.rowcount
            cursor.execute("ANALYZE due")
            cursor.execute(APPLY.format(new_id=new_id))
            cursor.execute("ANALYZE applied")
            cursor.execute(SUM_CREDITS)
            for statement in WRITE:
                cursor.execute(statement, {"at": at} if "%(at)s" in statement else None)
        after = ids[-1]
