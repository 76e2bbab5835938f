"""Notifications as pages show them: with icon, facts, link, and what can be done about them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from connections.kinds import Category, EventKind, kind_of
from connections.models import Connection, User

from .models import Notification
from .wording import facts_of

ICONS = {
    Category.BILLING_MANAGEMENT: "request",
    Category.REVAMPD_BILLING: "plan",
    Category.PAYOUTS: "payout",
    Category.SUPPORT: "ticket",
    Category.ACCOUNT: "person",
}

Key = tuple[str, str]


@dataclass(frozen=True)
class Entry:
    """One notification with everything around it. `panel` is "" if there is nothing to act on."""

    notification: Notification
    icon: str
    tone: str
    facts: list[tuple[str, str]]
    path: str
    panel: str = ""
    subject: models.Model | None = None
    may_decide: bool = False


def entries_of(notifications: Iterable[Notification], reader: User) -> list[Entry]:
    """`notifications` (read with their parties) for `reader`, to whom they must belong.

    The subjects are read anew, one query a type: a panel shows how things stand now.
    """
    rows = list(notifications)
    subjects = _subjects(rows, reader)
    return [_entry(row, kind_of(row.event), subjects, reader) for row in rows]


def _entry(
    row: Notification, kind: EventKind, subjects: dict[Key, models.Model], reader: User
) -> Entry:
    subject = subjects.get((row.event.subject_type, row.event.subject_id))
    return Entry(
        notification=row,
        icon=kind.icon or ICONS[Category(row.category)],
        tone=kind.tone,
        facts=facts_of(row.event),
        path=kind.path(row.event),
        panel=kind.panel if subject else "",
        subject=subject,
        may_decide=row.connection is not None and _may_decide(reader, row.connection),
    )


def _may_decide(reader: User, connection: Connection) -> bool:
    """Whoever may spend the customer's money, and is not on the side that proposes as well."""
    roles = {membership.organization_id: membership for membership in reader.belongs_to}
    customer = roles.get(connection.customer_id)
    return customer is not None and customer.may_bill and connection.provider_id not in roles


def _subjects(rows: list[Notification], reader: User) -> dict[Key, models.Model]:
    """What the panels are about, with connection and people, where the reader still belongs."""
    wanted: dict[str, dict[str, Connection]] = defaultdict(dict)
    for row in _with_panel(rows, reader):
        wanted[row.event.subject_type][row.event.subject_id] = row.connection
    found: dict[Key, models.Model] = {}
    for label, connections in wanted.items():
        for subject in _read(apps.get_model(label), connections):
            key = str(subject.pk)
            subject.connection = connections[key]
            found[label, key] = subject
    return found


def _with_panel(rows: list[Notification], reader: User) -> Iterator[Any]:
    mine = {membership.organization_id for membership in reader.belongs_to}
    for row in rows:
        parties = {row.connection.provider_id, row.connection.customer_id} if row.connection else ()
        if kind_of(row.event).panel and not mine.isdisjoint(parties):
            yield row


def _read(model: type[models.Model], keys: Iterable[str]) -> Iterable[Any]:
    people = [field.name for field in model._meta.fields if field.related_model is User]
    return model._default_manager.filter(pk__in=keys).select_related(*people)
