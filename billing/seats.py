"""Seats: how many Sub-Orgs the tier of a Partner allows, and how one is taken.

Partners invite through here alone. The Partner is locked while seats are counted, so that two who
invite at once cannot exceed the tier.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.models import Connection, Invitation, Membership, Organization, User
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock

from .models import PlanVersion, SubOrgImport, tier_of


class NoSeat(Conflict):
    """Nobody can be invited now; the tier is chosen on the Plan page of `tier_connection`."""

    def __init__(self, sentence: str, connection: Connection, *, next_step: str) -> None:
        super().__init__(sentence, next_step=next_step)
        self.tier_connection = connection


class NoTier(NoSeat):
    """The Partner has no tier, so no seats."""


class NoSeatLeft(NoSeat):
    """The tier allows fewer Sub-Orgs than there would be."""


@dataclass(frozen=True)
class Seats:
    """How many Sub-Orgs a Partner has, and how many it may have by its tier."""

    connection: Connection  # with Revampd
    tier: PlanVersion | None
    taken: int

    @classmethod
    def of(cls, partner: Organization, at: datetime) -> "Seats":
        """As they are at `at`; what an import has still to invite has its seats already."""
        with_revampd = Connection.objects.select_related("provider").get(
            customer=partner, provider_kind=Organization.Kind.PLATFORM
        )
        sub_orgs = Connection.objects.filter(provider=partner).taking_seats(at).count()
        reserved = SubOrgImport.objects.of(partner).reserved()
        tier = tier_of(partner, with_revampd.day_of(at))
        return cls(with_revampd, tier, sub_orgs + reserved)

    @property
    def limit(self) -> int | None:
        """How many there may be; None if unlimited, or if there is no tier."""
        return self.tier.max_sub_orgs if self.tier else None

    @property
    def are_short(self) -> bool:
        """Whether not even one more can be invited."""
        return self.tier is None or (self.limit is not None and self.taken >= self.limit)

    def require(self, number: int = 1) -> None:
        """Raises NoTier or NoSeatLeft unless `number` more can be invited."""
        if self.tier is None:
            raise NoTier(
                "Choose a tier first.",
                self.connection,
                next_step="It says how many Sub-Orgs you can have.",
            )
        if self.limit is None or self.taken + number <= self.limit:
            return
        noun = "Sub-Org" if self.limit == 1 else "Sub-Orgs"
        sentence = f"{self.tier.name} allows {self.limit:,} {noun}, and you have {self.taken:,}."
        if number > 1:
            sentence = f"{sentence.removesuffix('.')}; these are {number:,} more."
        raise NoSeatLeft(sentence, self.connection, next_step="A larger tier has room for more.")


@transaction.atomic
def invite(
    *,
    partner: Organization,
    name: str,
    email: str,
    by: User,
    at: datetime,
    owners: dict[str, Membership | None] | None = None,
) -> Invitation:
    """Invite a Sub-Org's first owner. Raises NoTier, NoSeatLeft, Invalid."""
    partner = lock(partner)
    Seats.of(partner, at).require()
    return Invitation.send_to_customer(
        provider=partner, name=name, email=email, by=by, at=at, owners=owners
    )


@transaction.atomic
def invite_again(invitation: Invitation, *, by: User, at: datetime, **details: Any) -> Invitation:
    """Send a new link; a Sub-Org that gave its seat back takes one again.

    Raises NoTier, NoSeatLeft, and what `Invitation.resend` raises.
    """
    lock(invitation.sender)
    if not invitation.holds_seat(at):
        Seats.of(invitation.sender, at).require()
    return invitation.resend(by=by, at=at, has_seat=True, **details)
