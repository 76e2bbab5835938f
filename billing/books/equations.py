"""Equations: what must hold of every row, and what both sides come to over all of them.

A comparison says where the books differ; an equation says besides how much there is, so that a
person sees what agrees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from revampd.kit.money import Money

from .comparison import Comparison

Column = tuple[str, str]


@dataclass(frozen=True)
class Equation:
    """Of each of `things`, the columns `left` add up to the columns `right`.

    `rows` is a statement of owner, number, what, subject (as in `Comparison`), currency and the
    columns, each of which has a label in words.
    """

    title: str
    things: str
    left: tuple[Column, ...]
    right: tuple[Column, ...]
    rows: sql.SQL | sql.Composed

    @property
    def comparison(self) -> Comparison:
        """What finds the rows of which it does not hold."""
        statement = sql.SQL("""
            SELECT owner, number, what, subject, {left} AS one, {right} AS other, true AS is_money
            FROM ({rows}) sides WHERE {left} <> {right}
        """)
        sides = {"left": _sum(self.left), "right": _sum(self.right)}
        come = "come" if len(self.right) > 1 else "comes"
        return Comparison(
            f"{{what}} is {{one}}, but {_in_words(self.right)} {come} to {{other}}.",
            statement.format(rows=self.rows, **sides),
        )

    def totals(self, cursor: Any) -> "Iterator[dict[str, Any]]":
        """What it comes to in each currency, as `BooksCheck.sums` keeps it."""
        columns = [name for name, _ in (*self.left, *self.right)]
        statement = sql.SQL("""
            SELECT currency, count(*), count(*) FILTER (WHERE {left} <> {right}), {sums}
            FROM ({rows}) sides GROUP BY currency ORDER BY currency
        """)
        summed = [sql.SQL("sum({})::bigint").format(sql.Identifier(name)) for name in columns]
        sides = {"left": _sum(self.left), "right": _sum(self.right)}
        cursor.execute(statement.format(rows=self.rows, sums=sql.SQL(", ").join(summed), **sides))
        for currency, number, differing, *sums in cursor.fetchall():
            amounts = dict(zip(columns, sums, strict=True))
            yield {
                "title": self.title,
                "things": self.things,
                "currency": currency,
                "number": number,
                "differing": differing,
                "left": [[label, amounts[name]] for name, label in self.left],
                "right": [[label, amounts[name]] for name, label in self.right],
            }


@dataclass(frozen=True)
class Total:
    """What an equation came to in one currency, as it was kept, for people."""

    title: str
    things: str
    number: int
    differing: int
    left: list[tuple[str, Money]]
    right: list[tuple[str, Money]]
    currency: str

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Total":
        sides = {
            side: [(label, Money(minor, kept["currency"])) for label, minor in kept[side]]
            for side in ("left", "right")
        }
        return cls(**{**kept, **sides})

    @property
    def sums(self) -> tuple[Money, Money]:
        """Both sides."""
        zero = Money(0, self.currency)
        return (
            sum((amount for _, amount in self.left), zero),
            sum((amount for _, amount in self.right), zero),
        )


def _sum(columns: tuple[Column, ...]) -> sql.Composed:
    return sql.SQL("({})").format(sql.SQL(" + ").join(sql.Identifier(name) for name, _ in columns))


def _in_words(columns: tuple[Column, ...]) -> str:
    *labels, last = [label[0].lower() + label[1:] for _, label in columns]
    return f"{', '.join(labels)} and {last}" if labels else last


# Of every connection, what was put into the wallet and not used is what the ledger says it holds.
WALLETS = Equation(
    "Lots less applications are the balance",
    "wallets",
    left=(("lots", "Credits granted"), ("used", "Used on invoices or taken out")),
    right=(("balance", "The balance by the ledger"),),
    rows=sql.SQL("""
        SELECT connection.id AS owner, NULL::bigint AS number, 'The wallet' AS what,
            'connections.connection:' || connection.id AS subject, connection.currency,
            coalesce(lots.amount, 0)::bigint AS lots, coalesce(-used.amount, 0)::bigint AS used,
            coalesce(ledger.amount, 0)::bigint AS balance
        FROM connections_connection connection
        LEFT JOIN (
            SELECT connection_id, sum(amount) AS amount FROM billing_credit GROUP BY connection_id
        ) lots ON lots.connection_id = connection.id
        LEFT JOIN (
            SELECT connection_id, sum(amount - returned) AS amount
            FROM billing_creditapplication GROUP BY connection_id
        ) used ON used.connection_id = connection.id
        LEFT JOIN (
            SELECT connection_id,
                sum(CASE WHEN credit = 'WALLET' THEN amount ELSE -amount END) AS amount
            FROM billing_transfer WHERE 'WALLET' IN (debit, credit) GROUP BY connection_id
        ) ledger ON ledger.connection_id = connection.id
        WHERE lots.amount IS NOT NULL OR used.amount IS NOT NULL OR ledger.amount IS NOT NULL
    """),
)
