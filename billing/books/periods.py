"""No day of an item is billed twice or skipped, up to the day that it is billed to."""

from psycopg import sql

from .comparison import Comparison
from .lines import period

ENDS = {"anchor": "item.anchor_date", "months": "item.months"}

# Days once charged that came after an early end are given back, unless they cost nothing. So what
# remains, in money, is the price from the start up to `billed_to`: counted from the anchor, the
# price of the periods before a day and the part of the one that it is in.
TILED = Comparison(
    "{what} is {one}, and should be {other}.",
    sql.SQL("""
    WITH item AS (
        SELECT item.*, CASE item.interval WHEN 'YEAR' THEN 12 ELSE 1 END AS months,
            item.unit_price * item.quantity AS price
        FROM billing_subscriptionitem item
    ),
    billed AS (
        SELECT line.item_id, sum(line.amount) AS net,
            sum(line.period_end - line.period_start) FILTER (WHERE line.amount >= 0) AS days,
            max(line.period_end) FILTER (WHERE line.amount >= 0) AS until,
            min(line.period_start) FILTER (WHERE line.amount < 0) AS given_back
        FROM billing_invoiceline line
        WHERE line.item_id IS NOT NULL AND line.measure = ''
        GROUP BY line.item_id
    )
    SELECT item.connection_id AS owner, NULL::bigint AS number,
        aspect || ' of “' || item.name || '” since ' || to_char(item.start_date, 'FMDD Mon YYYY')
            AS what,
        one, other, is_money
    FROM item
    LEFT JOIN billed ON billed.item_id = item.id
    {first}
    {last}
    CROSS JOIN LATERAL (
        VALUES
            (
                'The number of days charged', false, coalesce(billed.days, 0),
                greatest(billed.until, item.billed_to) - item.start_date
            ),
            (
                'The number of days given back that are billed', false,
                greatest(item.billed_to - billed.given_back, 0), 0
            ),
            (
                'The price of the days billed', true, coalesce(billed.net, 0),
                item.price * (last.number - first.number)
                + item.price * (item.billed_to - last.first) / (last.next - last.first)
                - item.price * (item.start_date - first.first) / (first.next - first.first)
            )
    ) AS found (aspect, is_money, one, other)
    WHERE found.one <> found.other
    """).format(
        first=period("first", day="item.start_date", **ENDS),
        last=period("last", day="item.billed_to", **ENDS),
    ),
)
