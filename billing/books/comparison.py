"""One comparison: a statement that finds what differs, and the sentence that tells of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.utils.formats import date_format
from psycopg import sql
from psycopg.types.json import Jsonb

from billing.models import Invoice
from billing.models.ledger import OF_AFFILIATES, OF_PAYOUTS, Account, Movement
from revampd.kit.money import Money

SHOWN = 100

FOUND = sql.SQL("""
    SELECT count(*) OVER (), provider.name, customer.name,
        coalesce(connection.currency, 'USD'),
        coalesce(
            to_jsonb(found) ->> 'subject', 'billing.invoice:' || invoice.id,
            'connections.connection:' || connection.id, 'connections.organization:' || provider.id
        ),
        found.number, what, one, other, is_money
    FROM ({statement}) found
    LEFT JOIN connections_connection connection ON connection.id = found.owner
    LEFT JOIN connections_organization customer ON customer.id = connection.customer_id
    LEFT JOIN connections_organization provider
        ON provider.id = coalesce(connection.provider_id, found.owner)
    LEFT JOIN billing_invoice invoice
        ON invoice.connection_id = found.owner AND invoice.number = found.number
    WHERE %(owners)s::uuid[] IS NULL OR found.owner = ANY(%(owners)s::uuid[])
    ORDER BY provider.name, customer.name, found.number, what
    LIMIT %(shown)s
""")

WORDS = {
    "movements": Jsonb({kind.value: kind.label for kind in Movement}),
    "accounts": Jsonb({account.value: account.label for account in Account}),
    "of_payouts": [account.value for account in OF_PAYOUTS],
    "of_affiliates": [account.value for account in OF_AFFILIATES],
    "of_others": [account.value for account in (*OF_PAYOUTS, *OF_AFFILIATES)],
}


class Difference(NamedTuple):
    """What differs in words, and the row that it is about: "app.model:id", "" if it is of none."""

    sentence: str
    subject: str


@dataclass(frozen=True)
class Comparison:
    """`statement` gives a row for each difference: owner, number, what, one, other, is_money.

    `owner` is the id of a connection, or of a provider; `number` that of an invoice, if it is about
    one. It may give a `subject` besides, the row where staff look first; else that is the invoice
    of the owner, or the owner. `sentence` takes what differs and the two values.
    """

    sentence: str
    statement: sql.SQL | sql.Composed

    def run(self, cursor: Any, owners: Sequence[Any] | None = None) -> Iterator[Difference]:
        """Every difference; `owners` are ids of connections and providers."""
        wanted = {"owners": owners, "shown": SHOWN}
        cursor.execute(FOUND.format(statement=self.statement), WORDS | wanted)
        rows = cursor.fetchall()
        for _, provider, customer, currency, subject, number, what, *values, is_money in rows:
            where = f"{provider} → {customer}" if customer else provider
            thing = f"{what} of {Invoice.code_of(number)}" if number else what
            one, other = (_in_words(value, currency if is_money else "") for value in values)
            sentence = self.sentence.format(what=thing, one=one, other=other)
            yield Difference(f"{where}: {sentence}", subject or "")
        if rows and (more := rows[0][0] - len(rows)):
            yield Difference(f"And {more:,} more like the last.", "")


def _in_words(value: Any, currency: str) -> str:
    if value is None:
        return "nothing"
    if currency:
        return str(Money(int(value), currency))
    return date_format(value, "j M Y") if isinstance(value, date) else str(value)
