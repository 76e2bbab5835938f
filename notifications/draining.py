"""From recorded events to people being told: nobody is left out and nobody is told twice.

The outbox row of an event is deleted in the transaction that writes its notifications and queues
its mails. A worker that dies before that commit leaves the row for the next one; after it, there
is nothing left to do again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from connections.kinds import Category, EventKind, Telling, kind_of
from connections.models import Event, Outbox
from revampd.kit.doorbell import ring_on_commit

from .audience import Audiences, Listener
from .events import SEND_TASK
from .models import Delivery, Notification
from .wording import body_of, title_of

BATCH = 200

log = logging.getLogger(__name__)


class Untellable(Exception):
    """The product knows no words for this event, or nobody who would read them."""


@dataclass(frozen=True)
class Tidings:
    """What one event comes to: notifications, and the address of somebody who is no member yet."""

    outbox: Outbox
    notifications: list[Notification]
    stranger: str


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
    told = [tidings for row in claimed if (tidings := _tidings_of(row, audiences))]
    _write(told, at)
    set_aside = [row for row in claimed if row.problem]
    if set_aside:
        Outbox.objects.bulk_update(set_aside, ["problem"])
    return len(claimed)


def _write(told: list[Tidings], at: datetime) -> None:
    """Insert notifications and mails, and take their events off the outbox."""
    if not told:
        return
    rows = [notification for tidings in told for notification in tidings.notifications]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    events = [tidings.outbox.event_id for tidings in told]
    mails = [*_to_members(events, at), *_to_strangers(told, at)]
    Delivery.objects.bulk_create(mails, ignore_conflicts=True)
    Outbox.objects.filter(pk__in=events).delete()
    if mails:
        ring_on_commit(SEND_TASK)


def _to_members(events: list[int], at: datetime) -> list[Delivery]:
    """A mail for everybody who can sign in and has not read of it yet."""
    unread = Notification.objects.filter(event__in=events, recipient__is_active=True).unread()
    return [
        Delivery(event_id=event, notification_id=pk, address=address, due_at=at)
        for pk, event, address in unread.values_list("pk", "event", "recipient__email")
    ]


def _to_strangers(told: Iterable[Tidings], at: datetime) -> list[Delivery]:
    return [
        Delivery(event_id=tidings.outbox.event_id, address=tidings.stranger, due_at=at)
        for tidings in told
        if tidings.stranger
    ]


def _tidings_of(row: Outbox, audiences: Audiences) -> Tidings | None:
    """None for an event that cannot be told: its row keeps the problem, and the others go on."""
    try:
        return _compose(row, audiences.listeners(row.event))
    except Exception as error:
        log.exception("Nobody can be told of event %s (%s)", row.event_id, row.event.code)
        row.problem = f"{type(error).__name__}: {error}"[:500]
        return None


def _compose(row: Outbox, listeners: list[Listener]) -> Tidings:
    """Raises Untellable, and whatever is wrong with the words, the link or the address."""
    event, kind = row.event, kind_of(row.event)
    if not kind.is_told:
        raise Untellable("Its kind is unknown or tells nobody.")
    kind.path(event)  # A link that cannot be made must fail here, not on every page that shows it.
    words = cache(lambda telling, zone: _words(telling, event, zone))
    notifications = [
        Notification(
            event=event,
            recipient=listener.user,
            organization=listener.organization,
            connection=event.connection,
            side=listener.side,
            category=_category(kind, event),
            **words(listener.telling, listener.user.time_zone),
            # Who acted knew of it when it happened.
            read_at=event.at if listener.user.pk == event.actor_id else None,
        )
        for listener in listeners
    ]
    return Tidings(row, notifications, _stranger(kind, event))


def _words(telling: Telling, event: Event, zone: str) -> dict[str, str]:
    with timezone.override(zone):
        return {"title": title_of(telling, event), "body": body_of(telling, event)}


def _category(kind: EventKind, event: Event) -> Category:
    """Billing Management of the platform's own connections is Revampd Billing."""
    if kind.category is None:
        raise Untellable("Its kind has no category.")
    is_ours = event.connection is not None and event.connection.provider.is_platform
    if is_ours and kind.category is Category.BILLING_MANAGEMENT:
        return Category.REVAMPD_BILLING
    return kind.category


def _stranger(kind: EventKind, event: Event) -> str:
    if not kind.mail_to:
        return ""
    if kind.mailed is None:
        raise Untellable("Its kind has no words for somebody who is not a member.")
    address = event.facts[kind.mail_to]
    validate_email(address)
    return str(address)
