"""What a search finds, as pages show it: one hit, and what every noun can tell of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Window
from django.utils.safestring import SafeString

from connections.models import Connection, Organization, User
from revampd.kit.keys import array_of
from revampd.kit.prepared import Prepared, prepared


@dataclass(frozen=True)
class Asked:
    """What is looked for, and by whom; `named` are the connections that it names, if few."""

    text: str
    by: User
    named: tuple[UUID, ...] = ()

    def is_sold(self, connection: Connection) -> bool:
        """Whether the person sees it as the provider, as the door would have it."""
        return connection.provider_id in self.by.organizations

    def other_side(self, connection: Connection) -> Organization:
        sold = self.is_sold(connection)
        return connection.customer if sold else connection.provider


@dataclass(frozen=True)
class Hit:
    """One line of the results; the whole of it leads to `url`."""

    title: str
    detail: str
    url: str
    icon: str = ""
    face: str = ""  # "company" or "person": their initials instead of an icon
    on: date | None = None
    state: SafeString | str = ""
    amount: str = ""
    aside: str = ""  # a second detail


@dataclass(frozen=True)
class Noun:
    """A kind of thing that can be found. `key` is its name in the address.

    `reads` tells, by name, what a text may stand for (a number, an amount), each None if it can't;
    `rows` gives those of these organizations that have any of it, in order.
    """

    key: str
    title: str
    reads: Mapping[str, Any]
    rows: Callable[..., QuerySet[Any]]
    hit: Callable[[Asked, Any], Hit]

    def first(self, asked: Asked, number: int) -> list[Any]:
        """The first rows, and in each how many are `found` in all."""
        values, names = self._values(asked)
        return self._written(*values, names=names, part=(0, number))

    def all(self, asked: Asked) -> Any:
        """All rows, for a paginator that knows how many there are."""
        values, names = self._values(asked)
        return self._written.part_of(*values, names=names)

    def _values(self, asked: Asked) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        read = {name: reader(asked.text) for name, reader in self.reads.items()}
        known = {name: value for name, value in read.items() if value is not None}
        if asked.named:
            known["named"] = array_of(asked.named)
        return (array_of(asked.by.organizations), *known.values()), tuple(known)

    @cached_property
    def _written(self) -> Prepared[Any]:
        """Written once for each kind of text: a word, a word that may be a number, an amount."""

        @prepared
        def rows(mine: Any, *values: Any, names: Any, part: tuple[int, int]) -> QuerySet[Any]:
            known = dict(zip(names, values, strict=True))
            found = self.rows(mine, **known).annotate(found=Window(Count("*")))
            return found[slice(*part)]

        return rows
