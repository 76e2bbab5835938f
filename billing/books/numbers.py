"""The numbers of a provider's invoices and credit notes run from 1, without gaps."""

from psycopg import sql

from .comparison import Comparison

MISSING = sql.SQL("""
    SELECT provider_id AS owner, NULL::bigint AS number, {what} AS what,
        before + 1 AS one, number - 1 AS other, false AS is_money
    FROM (
        SELECT provider_id, number,
            lag(number, 1, 0::bigint) OVER (PARTITION BY provider_id ORDER BY number) AS before
        FROM {table}
    ) numbered
    WHERE number <> before + 1
""")
LAST = sql.SQL("""
    SELECT coalesce(series.provider_id, issued.provider_id) AS owner, NULL::bigint AS number,
        {what} AS what, coalesce(issued.last, 0) AS one, series.{column} AS other, false AS is_money
    FROM (SELECT provider_id, max(number) AS last FROM {table} GROUP BY provider_id) issued
    FULL JOIN billing_invoiceseries series ON series.provider_id = issued.provider_id
    WHERE coalesce(issued.last, 0) IS DISTINCT FROM series.{column}
""")


def _gapless(table: str, column: str, plural: str) -> tuple[Comparison, Comparison]:
    names = {"table": sql.Identifier(f"billing_{table}"), "what": sql.Literal(plural)}
    return (
        Comparison("of {what}, the numbers {one} to {other} are missing.", MISSING.format(**names)),
        Comparison(
            "the last of {what} is number {one}, but {other} were given out.",
            LAST.format(**names, column=sql.Identifier(column)),
        ),
    )


GAPLESS = (
    *_gapless("invoice", "last_number", "its invoices"),
    *_gapless("creditnote", "last_note", "its credit notes"),
)
