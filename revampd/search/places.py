"""Pages to go to: the entries of the menus that a person has, by label and whose page it is."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from connections.access import Side
from connections.models import Connection, User
from revampd.kit.search import beginnings, words
from revampd.navigation import CONNECTION, ORGANIZATION, PERSONAL, Entry

from .hits import Hit

MOST = 8
# Of how many connections the pages are offered at most.
CONNECTIONS = 3

LABELS = [entry.label for menu in CONNECTION.values() for entry in menu]


def places(text: str, *, by: User) -> list[Hit]:
    """Menu entries that `text` names, or begins to: "wallet", "wallet blue", "members north"."""
    typed = words(text)
    offered: Iterator[Hit] = chain(_personal(), _of_organizations(by))
    if any(_begins(word, LABELS) for word in typed):
        offered = chain(offered, _of_connections(by, typed))
    return list(islice((hit for hit in offered if _names(hit, typed)), MOST))


def _names(hit: Hit, typed: list[str]) -> bool:
    """Whether every word begins one of the hit's, and at least one of them one of its label."""
    here = any(_begins(word, [hit.title]) for word in typed)
    return not typed or (here and all(_begins(word, [hit.title, hit.detail]) for word in typed))


def _begins(word: str, texts: Iterable[str]) -> bool:
    return any(other.startswith(word) for text in texts for other in words(text))


def _personal() -> Iterator[Hit]:
    for entry in PERSONAL:
        yield _hit(entry.at(""), "")


def _of_organizations(user: User) -> Iterator[Hit]:
    for membership in user.belongs_to:
        organization = membership.organization
        for entry in ORGANIZATION[organization.kind]:
            yield _hit(entry.at("", organization.slug), organization.name)


def _of_connections(user: User, typed: list[str]) -> Iterator[Hit]:
    """Of the connections that the other words name; without any, of those in which one buys."""
    names = " ".join(word for word in typed if not _begins(word, LABELS))
    memberships = {membership.organization_id: membership for membership in user.belongs_to}
    mine = list(memberships)
    buying = Connection.objects.filter(customer__in=mine)
    named = Connection.objects.found(mine, words=beginnings(names)) if names else buying
    shown = named.select_related("provider", "customer").order_by("created_at", "id")
    for connection in shown[:CONNECTIONS]:
        side = Side.PROVIDER if connection.provider_id in mine else Side.CUSTOMER
        ends = (connection.provider, connection.customer)
        own, other = ends if side is Side.PROVIDER else ends[::-1]
        for entry in CONNECTION[connection.provider_kind, connection.customer_kind, side]:
            if entry.opens_to(memberships[own.pk]):
                yield _hit(entry.at("", connection.pk), other.name)


def _hit(entry: Entry, whose: str) -> Hit:
    return Hit(title=entry.label, detail=whose, url=entry.url, icon=entry.icon)
