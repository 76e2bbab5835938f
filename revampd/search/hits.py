"""What a search finds, as pages show it: one hit, and what every noun can tell of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from connections.models import Connection, Organization, User


@dataclass(frozen=True)
class Asked:
    """What is looked for, and by whom; `among` are the connections that it names, if few."""

    text: str
    by: User
    among: tuple[UUID, ...] = ()

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
    """A kind of thing that can be found. `key` is its name in the address."""

    key: str
    title: str
    rows: Callable[[Asked], QuerySet[Any]]
    hit: Callable[[Asked, Any], Hit]
