"""Every line charges what its approved request allows, and usage is charged as it was entered."""

from psycopg import sql

from .comparison import Comparison

# Of each item, what its sealed terms say; `billing.pricing.Agreed` says the same of one.
AGREED = sql.SQL("""
    SELECT item.id, item.anchor_date AS anchor, request.kind, step.months,
        (request.terms ->> 'quantity')::bigint AS quantity,
        CASE
            WHEN request.terms ->> 'interval' = item.interval
                THEN (request.terms ->> 'unit_price')::bigint
            WHEN request.kind = 'ADD_ON' AND request.terms ->> 'interval' = 'MONTH'
                THEN (request.terms ->> 'unit_price')::bigint * step.months
        END AS price,
        coalesce((request.terms ->> 'booking_fee')::bigint, 0) AS booking,
        coalesce((request.terms ->> 'transfer_fee')::bigint, 0) AS transfer
    FROM billing_subscriptionitem item
    JOIN billing_billingrequest request ON request.id = item.request_id
    CROSS JOIN LATERAL (SELECT CASE item.interval WHEN 'YEAR' THEN 12 ELSE 1 END AS months) step
""")

# The period of billing that a day is in, counted from the anchor, and what its days cost: the
# rules of `pricing.period_on` and `pricing.part`.
PERIOD = sql.SQL("""
    CROSS JOIN LATERAL (
        SELECT (12 * (extract(year FROM {day}) - extract(year FROM {anchor}))
            + extract(month FROM {day}) - extract(month FROM {anchor}))::int / {months} AS number
    ) {name}_guess
    CROSS JOIN LATERAL (
        SELECT {name}_guess.number - (
            {anchor} + make_interval(months => {name}_guess.number * {months}) > {day}
        )::int AS number OFFSET 0
    ) {name}_whole
    CROSS JOIN LATERAL (
        SELECT {name}_whole.number,
            ({anchor} + make_interval(months => {name}_whole.number * {months}))::date AS first,
            ({anchor} + make_interval(months => ({name}_whole.number + 1) * {months}))::date
                AS next
        OFFSET 0
    ) {name}
""")


def period(name: str, *, day: str, anchor: str, months: str) -> sql.Composed:
    """Joins that give `name` (number, first, next): the period that contains `day`."""
    parts = {"name": name, "day": day, "anchor": anchor, "months": months}
    return PERIOD.format(**{key: sql.SQL(part) for key, part in parts.items()})


DIFFERENT = sql.SQL("""
    SELECT line.connection_id AS owner, invoice.number,
        aspect || ' of “' || line.description || '”' AS what, one, other, is_money
    FROM ({compared}) line
    JOIN billing_invoice invoice ON invoice.id = line.invoice_id
    CROSS JOIN LATERAL (
        VALUES
            ('The unit price', true, line.unit_price, line.agreed_price),
            ('The quantity', false, line.quantity, line.agreed_quantity),
            ('The amount', true, line.amount, line.agreed_amount)
    ) AS found (aspect, is_money, one, other)
    WHERE found.one IS DISTINCT FROM found.other
""")
ANY_DIFFERENT = sql.SQL("""
    (line.unit_price, line.quantity, line.amount)
        IS DISTINCT FROM (line.agreed_price, line.agreed_quantity, line.agreed_amount)
""")


def _approved(rows: sql.SQL | sql.Composed) -> Comparison:
    compared = sql.SQL("SELECT * FROM ({rows}) line WHERE {differ}")
    return Comparison(
        "{what} is {one}, approved as {other}.",
        DIFFERENT.format(compared=compared.format(rows=rows, differ=ANY_DIFFERENT)),
    )


COLUMNS = sql.SQL("""
    line.connection_id, line.invoice_id, line.description,
    line.unit_price, line.quantity::bigint, line.amount
""")

APPROVED = (
    # What the days of an item cost; a line below zero gives such days back.
    _approved(
        sql.SQL("""
        SELECT {columns}, agreed.price AS agreed_price, agreed.quantity AS agreed_quantity,
            sign(line.amount)::int * (
                agreed.price * agreed.quantity * (line.period_end - whole.first)
                    / (whole.next - whole.first)
                - agreed.price * agreed.quantity * (line.period_start - whole.first)
                    / (whole.next - whole.first)
            ) AS agreed_amount
        FROM billing_invoiceline line
        JOIN ({agreed}) agreed ON agreed.id = line.item_id AND agreed.kind = line.kind
        {whole}
        WHERE line.measure = ''
        """).format(
            columns=COLUMNS,
            agreed=AGREED,
            whole=period(
                "whole", day="line.period_start", anchor="agreed.anchor", months="agreed.months"
            ),
        )
    ),
    # Usage, at the fee of its plan.
    _approved(
        sql.SQL("""
        SELECT {columns}, fee.price AS agreed_price, line.quantity::bigint AS agreed_quantity,
            fee.price * line.quantity AS agreed_amount
        FROM billing_invoiceline line
        JOIN ({agreed}) agreed ON agreed.id = line.item_id
        CROSS JOIN LATERAL (
            SELECT CASE line.measure WHEN 'BOOKING' THEN agreed.booking
                ELSE agreed.transfer END AS price
        ) fee
        WHERE line.measure <> ''
        """).format(columns=COLUMNS, agreed=AGREED)
    ),
    # What is charged once.
    _approved(
        sql.SQL("""
        SELECT {columns}, agreed.price AS agreed_price, 1::bigint AS agreed_quantity,
            agreed.price AS agreed_amount
        FROM billing_invoiceline line
        JOIN billing_billingrequest request ON request.id = line.request_id
        CROSS JOIN LATERAL (SELECT (request.terms ->> 'unit_price')::bigint AS price) agreed
        WHERE line.kind = 'ONE_TIME'
        """).format(columns=COLUMNS)
    ),
)

USAGE = Comparison(
    "{what} charges {one}, but {other} were entered for its days.",
    sql.SQL("""
    SELECT line.connection_id AS owner, invoice.number, '“' || line.description || '”' AS what,
        line.quantity AS one, coalesce(entered.quantity, 0) AS other, false AS is_money
    FROM billing_invoiceline line
    LEFT JOIN (
        SELECT usage.line_id, sum(usage.quantity) FILTER (
            WHERE usage.used_on >= line.period_start AND usage.used_on < line.period_end
        ) AS quantity
        FROM billing_usagerecord usage JOIN billing_invoiceline line ON line.id = usage.line_id
        GROUP BY usage.line_id
    ) entered ON entered.line_id = line.id
    JOIN billing_invoice invoice ON invoice.id = line.invoice_id
    WHERE line.measure <> '' AND line.quantity <> coalesce(entered.quantity, 0)
"""),
)
