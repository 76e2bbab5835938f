"""Whether, when and how somebody is told: decided here, for the page, for mails and for summaries.

What somebody wants counts for everything but what is necessary: their own choice, else what the
organization suggests as whose member they hear of it, else at once. What is necessary comes at
once whatever anybody chose. The options that a person is shown follow from the same rules.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

from connections.kinds import KINDS, Category, EventKind, Telling
from connections.models import Membership, Organization, User

from .models import Channel, DigestHour, Manner, OrganizationDefault, Preference
from .models.preferences import MORNING, Choices, next_summary


@dataclass(frozen=True)
class Route:
    """How one person hears of one event. On the page it stands always; `rings` if it counts there
    as unread. `mail` is AT_ONCE, DAILY or OFF."""

    rings: bool
    mail: Manner


def route(
    telling: Telling,
    category: str,
    *,
    own: Choices,
    suggested: Choices,
    by_mail: bool = True,
    is_actor: bool = False,
    is_active: bool = True,
) -> Route:
    """The rule itself. Who acted has a receipt at most; a closed account gets no mail."""
    if is_actor:
        return Route(rings=False, mail=Manner.OFF)
    page, mail = (
        _wanted(telling, (category, channel), own, suggested)
        for channel in (Channel.PAGE, Channel.MAIL)
    )
    return Route(rings=page != Manner.OFF, mail=mail if by_mail and is_active else Manner.OFF)


def _wanted(telling: Telling, key: tuple[str, str], own: Choices, suggested: Choices) -> Manner:
    if telling.necessary:
        return Manner.AT_ONCE
    return Manner(own.get(key) or suggested.get(key) or Manner.AT_ONCE)


class Routes:
    """What many people want, and what their organizations suggest, read in three queries."""

    def __init__(self, people: Collection[Any], organizations: Collection[Any]) -> None:
        self._own = _by_owner(Preference, "person", people)
        self._suggested = _by_owner(OrganizationDefault, "organization", organizations)
        hours = DigestHour.objects.filter(person__in=people)
        self._hours = dict(hours.values_list("person", "hour"))

    @classmethod
    def of_one(cls, person: User) -> Self:
        return cls([person.pk], person.organizations)

    def route(
        self,
        person: User,
        organization_id: Any,
        telling: Telling,
        category: str,
        **standing: bool,
    ) -> Route:
        """How `person` hears of something as a member of the organization."""
        return route(
            telling,
            category,
            own=self._own[person.pk],
            suggested=self._suggested[organization_id],
            is_active=person.is_active,
            **standing,
        )

    def summary_at(self, person: User, after: datetime) -> datetime:
        """When the next daily summary goes to `person`."""
        return next_summary(after, person.zone, self._hours.get(person.pk, MORNING))


def _by_owner(table: Any, field: str, owners: Collection[Any]) -> dict[Any, dict[Any, str]]:
    found: dict[Any, dict[Any, str]] = defaultdict(dict)
    rows = table.objects.filter(**{f"{field}__in": owners})
    for owner, *key, manner in rows.values_list(field, "category", "channel", "manner"):
        found[owner][tuple(key)] = manner
    return found


# Who can be told of what at all


@dataclass(frozen=True)
class Hearing:
    """What somebody can hear of in one category: whether anything of it may be switched off, and
    why some of it may not."""

    category: Category
    is_optional: bool
    reasons: tuple[str, ...]


def heard_by(memberships: Iterable[Membership]) -> list[Hearing]:
    """What members like these can hear of, category by category."""
    found: dict[Category, list[Telling]] = defaultdict(list)
    for membership in memberships:
        for category, telling in _told_to(membership.organization):
            if membership.role in telling.roles:
                found[category].append(telling)
    return [_hearing(category, found[category]) for category in Category if category in found]


def _hearing(category: Category, tellings: list[Telling]) -> Hearing:
    reasons = dict.fromkeys(telling.necessary for telling in tellings if telling.necessary)
    is_optional = any(not telling.necessary for telling in tellings)
    return Hearing(category, is_optional, tuple(reasons))


def heard_in(organization: Organization) -> list[Hearing]:
    """What anybody in the organization can hear of."""
    found: dict[Category, list[Telling]] = defaultdict(list)
    for category, telling in _told_to(organization):
        found[category].append(telling)
    return [_hearing(category, found[category]) for category in Category if category in found]


def _told_to(organization: Organization) -> Iterable[tuple[Category, Telling]]:
    for kind in KINDS.values():
        if kind.category is not None:
            for telling, by_platform in _ends(kind, organization):
                yield category_of(kind, by_platform=by_platform), telling


def _ends(kind: EventKind, organization: Organization) -> Iterable[tuple[Telling, bool]]:
    """What the organization can be told, and whether Revampd is the provider then."""
    if kind.provider and organization.is_seller:
        yield kind.provider, organization.is_platform
    if kind.customer and organization.kind in kind.customers:
        if not organization.is_platform:
            yield kind.customer, True
        if organization.kind == Organization.Kind.SUB_ORG:
            yield kind.customer, False
    if kind.members:
        yield kind.members, False
        if organization.is_platform:
            yield kind.members, True


def category_of(kind: EventKind, *, by_platform: bool) -> Category:
    """Billing Management of the platform's own connections is Revampd Billing."""
    category = cast(Category, kind.category)
    if by_platform and category is Category.BILLING_MANAGEMENT:
        return Category.REVAMPD_BILLING
    return category
