"""Who is told of an event, and as whose member."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from connections.kinds import Telling, kind_of
from connections.models import Event, Membership, Organization, User

from .models import Notification
from .routing import Routes

Side = Notification.Side


@dataclass(frozen=True)
class Listener:
    """One person who hears of an event as a member of `organization`."""

    user: User
    side: Notification.Side
    organization: Organization
    telling: Telling


class Audiences:
    """The members of all organizations that a batch of events concerns, read in one query."""

    def __init__(self, members: Iterable[Membership]) -> None:
        self._members: dict[object, list[Membership]] = defaultdict(list)
        for membership in members:
            self._members[membership.organization_id].append(membership)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        concerned = {organization.pk for event in events for _, _, organization in _tellings(event)}
        rows = Membership.objects.filter(organization__in=concerned)
        return cls(rows.select_related("user").order_by("pk"))

    def routes(self) -> Routes:
        """How all of them want to be told."""
        everybody = {m.user_id for members in self._members.values() for m in members}
        return Routes(everybody, self._members.keys())

    def listeners(self, event: Event) -> list[Listener]:
        """Everybody once, the provider's side first. The actor hears of it only by a receipt."""
        told: dict[int, Listener] = {}
        for side, telling, organization in _tellings(event):
            for membership in self._members[organization.pk]:
                user, role = membership.user, membership.role
                if telling.concerns(event, role, user.pk) and user.pk not in told:
                    told[user.pk] = Listener(user, side, organization, telling)
        if event.actor_id and not kind_of(event).receipt:
            told.pop(event.actor_id, None)
        return list(told.values())


def _tellings(event: Event) -> Iterator[tuple[Notification.Side, Telling, Organization]]:
    kind, connection = kind_of(event), event.connection
    if kind.provider and connection:
        yield Side.PROVIDER, kind.provider, connection.provider
    if kind.customer and connection and connection.customer_kind in kind.customers:
        yield Side.CUSTOMER, kind.customer, connection.customer
    if kind.members:
        yield Side.MEMBER, kind.members, event.organization
