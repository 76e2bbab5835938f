"""Finding: every noun asked once, its first rows and their number in the same query."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from connections.models import Connection, User
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

from .connections import CONNECTIONS
from .hits import Asked, Hit, Noun
from .invoices import INVOICES
from .people import PEOPLE
from .requests import REQUESTS
from .tickets import TICKETS

FIRST = 5
PAGE = 25
# A name that more connections have is looked for itself, and not for the sake of their invoices.
FEW = 20


@dataclass(frozen=True)
class Group:
    """What was found of one noun: the first rows, and how many there are in all."""

    noun: Noun
    asked: Asked
    rows: list[Any]

    @property
    def total(self) -> int:
        return self.rows[0].found if self.rows else 0

    @property
    def hits(self) -> list[Hit]:
        return [self.noun.hit(self.asked, row) for row in self.rows[:FIRST]]

    @property
    def more(self) -> int:
        return max(self.total - FIRST, 0)

    def page(self, number: Any) -> tuple[Page[Any], list[Hit]]:
        """A page of all of them, with its hits."""
        pages: Paginator[Any] = Paginator(self.noun.all(self.asked), PAGE)
        pages.count = self.total
        page = pages.get_page(number)
        _connect(page)
        return page, [self.noun.hit(self.asked, row) for row in page]


def find(text: str, *, by: User) -> list[Group]:
    """What `text` finds among all that `by` may see: a group a noun, also where it is empty.

    For their hits they have to be `connected`; their numbers they know without.
    """
    named = _group(CONNECTIONS, Asked(text, by), FEW)
    few = named.rows if named.total <= FEW else []
    asked, theirs = Asked(text, by), tuple(connection.pk for connection in few)
    invoices = _group(INVOICES, Asked(text, by, theirs))
    return [named, invoices, *(_group(noun, asked) for noun in (REQUESTS, TICKETS, PEOPLE))]


def connected(groups: list[Group]) -> list[Group]:
    """The same groups, their first rows with their connections."""
    _connect(row for group in groups for row in group.rows[:FIRST])
    return groups


def _group(noun: Noun, asked: Asked, first: int = FIRST) -> Group:
    return Group(noun, asked, noun.first(asked, first))


@prepared
def _parties_of(ids: Any) -> QuerySet[Connection]:
    return Connection.objects.filter(among("id", ids)).select_related("provider", "customer")


def _connect(rows: Iterable[Any]) -> None:
    """Give the rows of connections theirs, in one query.

    To join them before the first rows are chosen would join every row that was found.
    """
    rows = [row for row in rows if hasattr(row, "connection_id")]
    ids = {row.connection_id for row in rows} - {None}
    connections = {connection.pk: connection for connection in _parties_of(array_of(ids))}
    for row in rows:
        row.connection = connections.get(row.connection_id)
