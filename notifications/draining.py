"""From recorded events to people being told: nobody is left out and nobody is told twice.

The outbox row of an event is deleted in the transaction that writes its notifications and queues
its mails. A worker that dies before that commit leaves the row for the next one; after it, there
is nothing left to do again.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from connections.kinds import Category, EventKind, Telling, kind_of
from connections.models import Event, Organization, Outbox
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.metrics import EVENTS

from .audience import Audiences, Listener
from .events import SEND_TASK
from .models import Delivery, Manner, Notification
from .routing import Route, Routes, category_of
from .wording import body_of, title_of

BATCH = 200

log = logging.getLogger(__name__)


class Untellable(Exception):
    """The product knows no words for this event, or nobody who would read them."""


@dataclass(frozen=True)
class Tidings:
    """What one event comes to: notifications, how each is mailed (by the recipient's id), and the
    address of somebody who is no member yet."""

    outbox: Outbox
    notifications: list[Notification]
    mails: dict[int, Manner]
    stranger: str

    @property
    def event(self) -> Event:
        return self.outbox.event


@dataclass(frozen=True)
class Post:
    """What a batch is told by: who hears of it, how they want to be told, and real time."""

    audiences: Audiences
    routes: Routes
    at: datetime

    def route(self, heard: Listener, kind: EventKind, category: Category, event: Event) -> Route:
        return self.routes.route(
            heard.user,
            heard.organization.pk,
            heard.telling,
            category,
            by_mail=kind.by_mail,
            is_actor=heard.user.pk == event.actor_id,
        )


def drain_events() -> int:
    """Tell of everything that waits, batch by batch. Returns how many events were taken."""
    taken = 0
    while count := _drain_batch(at=timezone.now()):
        taken += count
    return taken


@transaction.atomic
def _drain_batch(*, at: datetime) -> int:
    """The same few statements however many events and people. Returns how many were taken."""
    parties = ("event__organization", "event__connection__provider", "event__connection__customer")
    claimed = list(Outbox.objects.select_related(*parties).claimed(BATCH))
    audiences = Audiences.of([row.event for row in claimed])
    post = Post(audiences, audiences.routes(), at)
    told = [tidings for row in claimed if (tidings := _tidings_of(row, post))]
    _write(told, post)
    set_aside = [row for row in claimed if row.problem]
    if set_aside:
        Outbox.objects.bulk_update(set_aside, ["problem"])
    transaction.on_commit(partial(_count, [tidings.event.code for tidings in told]))
    return len(claimed)


def _count(codes: list[str]) -> None:
    for code in codes:
        EVENTS.labels(code).inc()


def _write(told: list[Tidings], post: Post) -> None:
    """Insert notifications and mails, and take their events off the outbox."""
    if not told:
        return
    rows = [notification for tidings in told for notification in tidings.notifications]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    mails = [*_to_members(told, post), *_to_strangers(told, post.at)]
    Delivery.objects.bulk_create(mails, ignore_conflicts=True)
    Outbox.objects.filter(pk__in=[tidings.event.pk for tidings in told]).delete()
    if mails:
        ring_on_commit(SEND_TASK)


def _to_members(told: list[Tidings], post: Post) -> Iterator[Delivery]:
    """A mail for everybody who wants one: at once, or in their next summary."""
    by_event = {tidings.event.pk: tidings for tidings in told}
    for row in Notification.objects.filter(event__in=by_event).select_related("recipient"):
        tidings = by_event[row.event_id]
        manner = tidings.mails.get(row.recipient_id, Manner.OFF)
        if manner != Manner.OFF:
            is_daily = manner == Manner.DAILY
            yield Delivery(
                event_id=row.event_id,
                notification=row,
                organization=_answering(tidings.event),
                address=row.recipient.email,
                state=Delivery.State.WAITING if is_daily else Delivery.State.QUEUED,
                due_at=post.routes.summary_at(row.recipient, post.at) if is_daily else post.at,
            )


def _to_strangers(told: Iterable[Tidings], at: datetime) -> Iterator[Delivery]:
    for tidings in told:
        if tidings.stranger:
            yield Delivery(
                event=tidings.event,
                organization=_answering(tidings.event),
                address=tidings.stranger,
                due_at=at,
            )


def _answering(event: Event) -> Organization:
    """Who sees what becomes of the mail: the provider of the connection it is about."""
    return event.connection.provider if event.connection else event.organization


def _tidings_of(row: Outbox, post: Post) -> Tidings | None:
    """None for an event that cannot be told: its row keeps the problem, and the others go on."""
    try:
        return _compose(row, post)
    except Exception as error:
        log.exception("Nobody can be told of event %s (%s)", row.event_id, row.event.code)
        row.problem = f"{type(error).__name__}: {error}"[:500]
        return None


def _compose(row: Outbox, post: Post) -> Tidings:
    """Raises Untellable, and whatever is wrong with the words, the link or the address."""
    event, kind = row.event, kind_of(row.event)
    if not kind.is_told:
        raise Untellable("Its kind is unknown or tells nobody.")
    kind.path(event)  # A link that cannot be made must fail here, not on every page that shows it.
    words = cache(lambda telling, zone: _words(telling, event, zone))
    listeners = post.audiences.listeners(event)
    category = _category(kind, event)
    routes = {heard.user.pk: post.route(heard, kind, category, event) for heard in listeners}
    notifications = [
        Notification(
            event=event,
            recipient=listener.user,
            organization=listener.organization,
            connection=event.connection,
            side=listener.side,
            category=category,
            **words(listener.telling, listener.user.time_zone),
            read_at=_read_at(listener, routes[listener.user.pk], event, post.at),
        )
        for listener in listeners
    ]
    mails = {person: way.mail for person, way in routes.items()}
    return Tidings(row, notifications, mails, _stranger(kind, event))


def _read_at(listener: Listener, way: Route, event: Event, at: datetime) -> datetime | None:
    """Who acted knew of it when it happened; what somebody wants quietly is never unread."""
    if listener.user.pk == event.actor_id:
        return event.at
    return None if way.rings else at


def _words(telling: Telling, event: Event, zone: str) -> dict[str, str]:
    with timezone.override(zone):
        return {"title": title_of(telling, event), "body": body_of(telling, event)}


def _category(kind: EventKind, event: Event) -> Category:
    if kind.category is None:
        raise Untellable("Its kind has no category.")
    provider = event.connection.provider if event.connection else None
    return category_of(kind, by_platform=provider is not None and provider.is_platform)


def _stranger(kind: EventKind, event: Event) -> str:
    if not kind.mail_to:
        return ""
    if kind.mailed is None:
        raise Untellable("Its kind has no words for somebody who is not a member.")
    address = event.facts[kind.mail_to]
    validate_email(address)
    return str(address)
