"""Daily summaries: what waits for a person becomes one mail, once a day.

Composing is one transaction for each person, who is held meanwhile: a worker that dies before its
commit leaves everything waiting, and two of them never write to the same person. What was read in
the meantime is left out, and so is what somebody no longer wants or may no longer hear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from connections.kinds import Category, kind_of
from connections.models import User
from revampd.kit.doorbell import ring_on_commit

from .events import SEND_TASK
from .models import Delivery, Digest, Manner
from .routing import Routes
from .wording import told_to

State = Delivery.State
READ_SINCE = {"notification__read_at__gt": F("notification__created_at")}


def compose_digests(*, at: datetime) -> int:
    """Make the summaries that are due at real time `at`. Returns how many mails that came to."""
    waiting = Delivery.objects.awaiting_summary().filter(due_at__lte=at)
    people = waiting.values_list("notification__recipient", flat=True).distinct()
    return sum(_compose(person, at) for person in list(people))


@transaction.atomic
def _compose(person_id: int, at: datetime) -> bool:
    """Whether the person gets a summary now."""
    free = User.objects.select_for_update(skip_locked=True, no_key=True)
    person = free.filter(pk=person_id).first()
    if person is None:
        return False  # another worker has them
    mine = Delivery.objects.awaiting_summary().filter(notification__recipient=person)
    due = list(mine.with_words().filter(due_at__lte=at).order_by("event_id"))
    day = at.astimezone(person.zone).date()
    if due and Digest.objects.filter(recipient=person, day=day).exists():
        _keep_for_tomorrow(due, person, at)
        return False
    wanted = _still_wanted(due, person)
    if not wanted:
        return False
    digest = Digest.objects.create(recipient=person, day=day)
    Delivery.objects.filter(pk__in=[one.pk for one in wanted]).update(digest=digest)
    Delivery.objects.create(digest=digest, address=person.email, due_at=at)
    ring_on_commit(SEND_TASK)
    return True


def _keep_for_tomorrow(due: Sequence[Delivery], person: User, at: datetime) -> None:
    """Their hour was changed after today's summary had left."""
    later = Routes.of_one(person).summary_at(person, at)
    Delivery.objects.filter(pk__in=[one.pk for one in due]).update(due_at=later)


def _still_wanted(due: Iterable[Delivery], person: User) -> list[Delivery]:
    """The others are not needed any more, and their rows say so."""
    routes = Routes.of_one(person)
    roles = {member.organization_id: member.role for member in person.belongs_to}
    wanted: list[Delivery] = []
    needless: list[Delivery] = []
    for one in due:
        fits = not _was_read(one) and _is_wanted(one, person, routes, roles)
        (wanted if fits else needless).append(one)
    Delivery.objects.filter(pk__in=[one.pk for one in needless]).update(state=State.SKIPPED)
    return wanted


def _was_read(one: Delivery) -> bool:
    """A quiet one counts as read from the start; that is not what is meant."""
    row = one.row
    return row.read_at is not None and row.read_at > row.created_at


def _is_wanted(one: Delivery, person: User, routes: Routes, roles: dict[Any, str]) -> bool:
    """Whoever has left the organization, or its role, hears nothing more of it."""
    row = one.row
    telling = told_to(one.told, row.side)
    if not telling.concerns(one.told, roles.get(row.organization_id, ""), person.pk):
        return False
    way = routes.route(person, row.organization_id, telling, row.category)
    return way.mail != Manner.OFF


# What a summary says


@dataclass(frozen=True)
class Line:
    """What happened to one thing: the newest of it, and how many there were in all."""

    title: str
    count: int
    at: datetime
    organization: str
    path: str

    @property
    def others(self) -> int:
        return self.count - 1


def leave_out_read(summary: Delivery) -> int:
    """What was read since it was composed is not sent. Returns how many are left to tell of."""
    waiting = summary.parts.filter(state=State.WAITING)
    waiting.filter(**READ_SINCE).update(state=State.SKIPPED)
    return int(waiting.count())


def sections_of(summary: Delivery) -> list[tuple[str, list[Line]]]:
    """The lines by category. Ten events of one request are one line."""
    merged: dict[tuple[Any, ...], list[Delivery]] = {}
    rows = summary.parts.filter(state=State.WAITING).with_words()
    for one in rows.order_by("-event_id"):
        row = one.row
        key = (row.category, row.organization_id, one.told.subject_type, one.told.subject_id)
        merged.setdefault(key, []).append(one)
    found: dict[str, list[Line]] = {}
    for (category, *_), same in merged.items():
        found.setdefault(category, []).append(_line(same))
    return [(value.label, found[value]) for value in Category if value in found]


def _line(same: Sequence[Delivery]) -> Line:
    newest = same[0]
    event, row = newest.told, newest.row
    return Line(row.title, len(same), event.at, row.organization.name, kind_of(event).path(event))
