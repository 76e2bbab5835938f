"""Notifications as pages show them: with icon, facts, link, and what can be done about them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.paginator import Paginator
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse

from connections.kinds import Category, kind_of
from connections.models import Connection, Membership, User
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

from .models import Notification
from .wording import facts_of

PAGE_LENGTH = 25
ICONS = {
    Category.BILLING_MANAGEMENT: "request",
    Category.REVAMPD_BILLING: "plan",
    Category.PAYOUTS: "payout",
    Category.SUPPORT: "ticket",
    Category.ACCOUNT: "person",
}

Subjects = dict[tuple[str, str], Any]
Roles = dict[UUID, Membership]


@dataclass(frozen=True)
class Entry:
    """One notification with everything around it. `panel` is "" if there is nothing to act on."""

    notification: Notification
    icon: str
    tone: str
    category: str
    url: str
    facts: list[tuple[str, str]]
    panel: str = ""
    subject: models.Model | None = None
    may_decide: bool = False


# Which


def told_to(reader: User, chosen: Mapping[str, Any]) -> "Paginator[Notification]":
    """What `reader` was told and chose to see, page by page, unread ones on top, with parties."""
    connection = chosen.get("connection")
    shape = {
        "category": chosen.get("category", ""),
        "is_unread": bool(chosen.get("unread")),
        "of_one": bool(connection),
    }
    parts = _part.part_of(reader.pk, connection, **shape)
    pages: Paginator[Notification] = Paginator(parts, PAGE_LENGTH)
    pages.count = _number(reader.pk, connection, **shape)[0]
    return pages


def _narrowed(reader: Any, connection: Any, category: str, is_unread: bool, of_one: bool) -> Any:
    rows = Notification.objects.of(reader)
    if is_unread:
        rows = rows.unread()
    if category:
        rows = rows.filter(category=category)
    return rows.filter(connection=connection) if of_one else rows


@prepared
def _number(reader: Any, connection: Any, **shape: Any) -> "models.QuerySet[User, int]":
    rows = _narrowed(reader, connection, **shape).order_by().values("recipient")
    number = models.Subquery(rows.values(number=models.Count("pk")))
    numbers: models.QuerySet[User, int] = User.objects.filter(pk=reader).values_list(
        Coalesce(number, 0), flat=True
    )
    return numbers


@prepared
def _part(
    reader: Any, connection: Any, *, part: tuple[int, int], **shape: Any
) -> models.QuerySet[Notification]:
    """A page is found in an index alone, however deep it lies; only what it shows is read."""
    keys = _narrowed(reader, connection, **shape).pinned_first().values("pk")[slice(*part)]
    rows: Any = Notification.objects.filter(pk__in=keys)
    told: models.QuerySet[Notification] = rows.with_parties().pinned_first()
    return told


# In full


def entries_of(notifications: Iterable[Notification], reader: User) -> list[Entry]:
    """`notifications` (read with their parties) for `reader`, to whom they must belong.

    The subjects are read anew, one query a type: a panel shows how things stand now.
    """
    rows = list(notifications)
    roles = {membership.organization_id: membership for membership in reader.belongs_to}
    subjects = _subjects(rows, roles)
    above = reverse("notifications:list")
    return [_entry(row, above, subjects, roles) for row in rows]


def _entry(row: Notification, above: str, subjects: Subjects, roles: Roles) -> Entry:
    kind, category = kind_of(row.event), Category(row.category)
    subject = subjects.get((row.event.subject_type, row.event.subject_id))
    return Entry(
        notification=row,
        icon=kind.icon or ICONS[category],
        tone=kind.tone,
        category=str(category.label),
        url=f"{above}{row.pk}/",
        facts=facts_of(row.event),
        panel=kind.panel if subject else "",
        subject=subject,
        may_decide=row.connection is not None and _may_decide(roles, row.connection),
    )


def _may_decide(roles: Roles, connection: Connection) -> bool:
    """Whoever may spend the customer's money, and is not on the side that proposes as well."""
    customer = roles.get(connection.customer_id)
    return customer is not None and customer.may_bill and connection.provider_id not in roles


def _subjects(rows: list[Notification], roles: Roles) -> Subjects:
    """What the panels are about, with connection and people, where the reader still belongs."""
    wanted: dict[str, dict[str, Connection]] = defaultdict(dict)
    for row in _with_panel(rows, roles):
        wanted[row.event.subject_type][row.event.subject_id] = row.connection
    found: Subjects = {}
    for label, connections in wanted.items():
        for subject in _read(array_of(connections), model=label):
            key = str(subject.pk)
            subject.connection = connections[key]
            found[label, key] = subject
    return found


def _with_panel(rows: list[Notification], roles: Roles) -> Iterator[Any]:
    for row in rows:
        parties = {row.connection.provider_id, row.connection.customer_id} if row.connection else ()
        if kind_of(row.event).panel and not roles.keys().isdisjoint(parties):
            yield row


@prepared
def _read(keys: Any, *, model: str) -> "models.QuerySet[Any]":
    """Those with these keys, which are UUIDs of all that has a panel."""
    table: Any = apps.get_model(model)
    people = [field.name for field in table._meta.fields if field.related_model is User]
    rows: models.QuerySet[Any] = table._default_manager.filter(among("pk", keys))
    return rows.select_related(*people)
