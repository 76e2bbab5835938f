"""Kinds of events: what each is called, who hears of it, and in which words.

Every app lists its kinds in its `events`; recording one writes the `Event` row, and, if
anybody is to be told, the outbox row that a worker turns into notifications.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.module_loading import import_string

from revampd.kit import clock
from revampd.kit.copying import copy_rows, reserve_ids
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.money import Money
from revampd.kit.origin import current_origin

if TYPE_CHECKING:
    from .models import Connection, Event, Organization, User

DRAIN_TASK = "notifications.drain_events"

EVERYONE = frozenset({"OWNER", "BILLING", "SUPPORT", "VIEWER"})
DECIDERS = frozenset({"OWNER", "BILLING"})
SUPPORTERS = frozenset({"OWNER", "SUPPORT"})
OWNERS = frozenset({"OWNER"})

EVERY_KIND = frozenset({"PLATFORM", "PARTNER", "SUB_ORG"})
PARTNERS = frozenset({"PARTNER"})

# Why the mail about something cannot be switched off, after "It always comes, because".
CONSENT = "it asks for a decision about money, or records one"
SAFETY = "it says where your money goes"


class Category(models.TextChoices):
    BILLING_MANAGEMENT = "BILLING_MANAGEMENT", "Billing Management"
    REVAMPD_BILLING = "REVAMPD_BILLING", "Revampd Billing"
    PAYOUTS = "PAYOUTS", "Payouts"
    SUPPORT = "SUPPORT", "Support"
    ACCOUNT = "ACCOUNT", "Account"


@dataclass(frozen=True)
class Telling:
    """What one side reads: words with {facts} in them, and the roles that hear of it.

    `action` is what the button of the mail says; it leads to the page and does no more. `only`
    names the fact that lists those whom it concerns: of all with such a role, nobody else hears.
    `necessary` is the reason why nobody can switch the mail off, "" if people may choose.
    """

    title: str
    body: str = ""
    action: str = "See the details"
    roles: frozenset[str] = DECIDERS
    only: str = ""
    necessary: str = ""

    def concerns(self, event: "Event", role: str, user_id: int) -> bool:
        """Whether a member with this role hears of `event`."""
        return role in self.roles and (not self.only or user_id in event.facts[self.only])


@dataclass(frozen=True)
class EventKind:
    """One kind of event.

    `sentence` is its line in a timeline, after the actor's name. `provider` and `customer` are
    the tellings of the two sides of the connection, `members` that of the event's organization.
    `facts` are the (key, label) pairs that a notification lists. `mail_to` names the fact that
    holds the address of somebody who is not a member yet, and `mailed` is what they read. With
    `receipt` the actor gets a copy, already read. What is not `by_mail` stands on the page alone.
    `customers` are the kinds of customer that hear of it at all. `panel` is the fragment that shows
    what can be done about the subject, or its outcome, inside the notification. `link` gives the
    path of the page concerned. `icon` and `tone` ("good", "warn", "bad", "info") are how it looks
    in a list.
    """

    code: str
    sentence: str
    category: Category | None = None
    provider: Telling | None = None
    customer: Telling | None = None
    members: Telling | None = None
    mail_to: str = ""
    mailed: Telling | None = None
    receipt: bool = False
    by_mail: bool = True
    customers: frozenset[str] = EVERY_KIND
    panel: str = ""
    icon: str = ""
    tone: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    link: "Callable[[Event], str] | None" = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.code in KINDS:
            raise ValueError(f"event kind {self.code} is listed twice")
        KINDS[self.code] = self

    @property
    def is_told(self) -> bool:
        return bool(self.provider or self.customer or self.members or self.mail_to)

    def record(
        self,
        subject: models.Model,
        *,
        by: "User | None",
        organization: "Organization",
        connection: "Connection | None" = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> "Event":
        """Write the event, in the transaction of the change that it tells of."""
        # Models import kinds, so kinds find the tables they write by name.
        event: Event = apps.get_model("connections.Event").objects.create(
            code=self.code,
            actor=by,
            organization=organization,
            connection=connection,
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            facts=storable(facts),
            origin=current_origin(),
            at=at or clock.now(),
        )
        if self.is_told:
            apps.get_model("connections.Outbox").objects.create(event=event)
            ring_on_commit(DRAIN_TASK)
        for follow in _followers(self.code):
            follow(event)
        return event

    def record_each(self, subjects: type[models.Model], happenings: "Sequence[Happening]") -> None:
        """`record` for thousands of `subjects` of one model, in a few statements."""
        if not happenings:
            return
        table, outbox = (apps.get_model(f"connections.{name}") for name in ("Event", "Outbox"))
        ids = reserve_ids(table, len(happenings))
        subject_type, origin, now = subjects._meta.label_lower, current_origin(), timezone.now()
        where = json.dumps(origin)
        fields = (
            *("id", "code", "at", "recorded_at", "actor", "organization", "connection"),
            *("subject_type", "subject_id", "facts", "origin"),
        )
        copy_rows(
            table,
            fields,
            (
                (
                    *(number, self.code, one.at, now, one.actor_id),
                    *(one.organization_id, one.connection_id, subject_type, str(one.subject_id)),
                    *(json.dumps(one.facts, default=storable), where),
                )
                for number, one in zip(ids, happenings, strict=True)
            ),
        )
        if self.is_told:
            copy_rows(outbox, ("event", "problem"), ((number, "") for number in ids))
            ring_on_commit(DRAIN_TASK)

    def path(self, event: "Event") -> str:
        """The page that the event is about, "" if there is none."""
        return self.link(event) if self.link else ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event to be, by ids: what `EventKind.record_each` writes."""

    subject_id: UUID
    organization_id: UUID
    connection_id: UUID
    at: datetime
    facts: dict[str, Any]
    actor_id: int | None = None


@cache
def _followers(code: str) -> "list[Callable[[Event], None]]":
    """What else happens with an event, in its transaction; the settings say for which kinds."""
    return [import_string(path) for path in settings.FOLLOWERS.get(code, ())]


KINDS: dict[str, EventKind] = {}
UNKNOWN = EventKind("unknown", "did something that has no name any more")


def kind_of(event: "Event") -> EventKind:
    """The kind of a recorded event, also of one that the product no longer knows."""
    return KINDS.get(event.code, UNKNOWN)


def storable(value: Any) -> Any:
    """`value` as JSON can hold it, such that `readable` gives it back in words."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Mapping):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return str(value) if isinstance(value, UUID) else value


def readable(value: Any) -> str:
    """A stored fact in words: an amount, a day, an instant in the active time zone, or as it is."""
    if isinstance(value, dict) and "minor" in value:
        return str(Money(**value))
    if isinstance(value, dict) and "date" in value:
        return date_format(date.fromisoformat(value["date"]), "j M Y")
    if isinstance(value, dict) and "instant" in value:
        instant = timezone.localtime(datetime.fromisoformat(value["instant"]))
        return date_format(instant, "j M Y, H:i e")
    return "" if value is None else str(value)


def in_words(template: str, event: "Event") -> str:
    """Fill the {facts} of a telling or sentence; a fact that is missing reads as nothing."""
    words = _Facts({key: readable(value) for key, value in event.facts.items()})
    return template.format_map(words).strip()


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
