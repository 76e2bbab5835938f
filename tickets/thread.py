"""The conversation as a page shows it: who said what, from which side, what is new, with files."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef
from django.db.models.functions import JSONObject
from django.template.defaultfilters import filesizeformat

from connections.kinds import kind_of
from connections.models import Event, User
from notifications.wording import facts_of

from .models import Attachment, Message
from .models.messages import Side
from .seats import Seat

SHOWN = 100  # messages at first; the rest on demand

ICONS = {
    Message.Kind.STATUS: "check",
    Message.Kind.PRIORITY: "flag",
    Message.Kind.ASSIGNMENT: "person",
    Message.Kind.ESCALATION: "flag",
}


@dataclass(frozen=True)
class Entry:
    """One message. `panel` is the fragment that shows what was offered and how it stands now."""

    message: Message
    organization: str
    is_mine: bool
    files: list[dict[str, Any]]
    icon: str
    facts: list[tuple[str, str]]
    panel: str = ""
    subject: Model | None = None


def entries(seat: Seat, *, after: int = 0) -> list[Entry]:
    """What this seat may read, from its message number `after` on, in two queries at most."""
    return _entries(seat, _readable(seat)[after:])


def offers(seat: Seat, news: Iterable[Entry], pending: Collection[str]) -> list[Entry]:
    """Those that a page shows as `pending`, as they stand now; none unless `news` tells of one."""
    if not pending or not any(entry.message.event for entry in news):
        return []
    made = _entries(seat, _readable(seat).filter(kind=Message.Kind.OFFER))
    return [entry for entry in made if entry.subject and str(entry.subject.pk) in pending]


def earlier(seat: Seat) -> int:
    """How many messages a page leaves out at first."""
    return max(seat.length - SHOWN, 0)


def _readable(seat: Seat) -> Any:
    files = Attachment.objects.filter(message=OuterRef("pk")).order_by("name", "pk")
    described = files.values(json=JSONObject(pk="pk", name="name", size="size"))
    rows = Message.objects.visible_to(seat.side).filter(ticket=seat.ticket).in_order()
    return rows.select_related("author", "event").annotate(files=ArraySubquery(described))


def _entries(seat: Seat, rows: Any) -> list[Entry]:
    messages: list[Any] = list(rows)
    subjects = dict(_subjects(messages, seat))
    return [_entry(seat, message, subjects) for message in messages]


def _entry(seat: Seat, message: Any, subjects: dict[str, Model]) -> Entry:
    is_offer = message.kind == Message.Kind.OFFER
    subject = subjects.get(message.event.subject_id) if is_offer else None
    return Entry(
        message=message,
        organization=_organization(seat, message.side),
        is_mine=message.author_id == seat.party.user.pk,
        files=[file | {"words": filesizeformat(file["size"])} for file in message.files],
        icon=ICONS.get(message.kind) or (kind_of(message.event).icon if message.event else ""),
        facts=_facts(message.event) if is_offer else [],
        panel=kind_of(message.event).panel if subject else "",
        subject=subject,
    )


def _facts(event: Event) -> list[tuple[str, str]]:
    return [
        (label, text) for label, text in facts_of(event) if label not in ("Requested by", "Person")
    ]


def _organization(seat: Seat, side: str) -> str:
    ticket = seat.ticket
    if side == Side.CUSTOMER:
        return ticket.connection.customer.name
    if side == Side.PROVIDER:
        return ticket.connection.provider.name
    return ticket.escalated_over.provider.name if ticket.escalated_over else "Revampd"


def _subjects(messages: Iterable[Any], seat: Seat) -> Iterator[tuple[str, Model]]:
    """What the offers are about, read anew by type: a panel shows how things stand now."""
    wanted: dict[str, list[str]] = {}
    for message in messages:
        if message.kind == Message.Kind.OFFER and kind_of(message.event).panel:
            wanted.setdefault(message.event.subject_type, []).append(message.event.subject_id)
    for label, keys in wanted.items():
        model: Any = apps.get_model(label)
        people = [field.name for field in model._meta.fields if field.related_model is User]
        for subject in model._default_manager.filter(pk__in=keys).select_related(*people):
            subject.connection = seat.ticket.connection
            yield str(subject.pk), subject
