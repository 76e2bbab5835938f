"""Credits are used first in first out: none while an older one of its connection had room."""

from psycopg import sql

from .comparison import Comparison

# The ledger is the history: of one connection, its rows are numbered in the order of what happened.
ORDER = Comparison(
    "{what} was used for {one} while an older credit held {other}.",
    sql.SQL("""
    WITH moves (moment, credit_id, amount, application_id) AS (
        SELECT moved.id, credit.id, credit.amount, NULL::uuid
        FROM billing_credit credit
        JOIN billing_transfer moved ON moved.document = credit.id
            AND moved.kind IN ('GRANTED', 'REFUND_CREDITED')
        UNION ALL
        SELECT moved.id, used.credit_id, -used.amount, used.id
        FROM billing_creditapplication used
        JOIN billing_transfer moved ON moved.document = used.id
            AND moved.kind IN ('APPLIED', 'DEDUCTED')
        UNION ALL
        SELECT moved.id, used.credit_id, back.amount, NULL
        FROM billing_creditreturn back
        JOIN billing_creditapplication used ON used.id = back.application_id
        JOIN billing_transfer moved ON moved.document = back.id AND moved.kind = 'RETURNED'
    ),
    rooms AS (
        SELECT credit_id, moment AS since, lead(moment) OVER history AS until,
            sum(amount) OVER history AS room
        FROM moves WINDOW history AS (PARTITION BY credit_id ORDER BY moment)
    )
    SELECT younger.connection_id AS owner, invoice.number, '“' || younger.reason || '”' AS what,
        -used.amount AS one, rooms.room AS other, true AS is_money
    FROM rooms
    JOIN billing_credit older ON older.id = rooms.credit_id
    JOIN billing_credit younger ON younger.connection_id = older.connection_id
        AND (younger.issued_at, younger.id) > (older.issued_at, older.id)
    JOIN moves used ON used.credit_id = younger.id AND used.application_id IS NOT NULL
        AND used.moment > rooms.since AND used.moment < coalesce(rooms.until, used.moment + 1)
    JOIN billing_creditapplication application ON application.id = used.application_id
    LEFT JOIN billing_invoice invoice ON invoice.id = application.invoice_id
    WHERE rooms.room > 0
"""),
)
