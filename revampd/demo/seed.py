"""Plays all stories in one transaction: an interruption leaves no demo, rather than half of one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from billing.collecting import collect_due
from billing.gateways.base import in_one_transaction
from billing.refunding import settle_refunds
from connections.models import Event, Organization, User
from notifications.digests import compose_digests
from notifications.draining import drain_events
from notifications.models import Delivery, Notification
from revampd.kit.keys import among

from .stage import Stage, Story
from .stories import all_stories
from .work import work

PASSWORD = "demo"  # noqa: S105 - everybody's, and shown on the sign-in page
FIRST_NIGHT = 290  # days ago
NEWS = timedelta(days=3)
FRESH = timedelta(hours=2)
TURN = 20_471  # the advisory lock of two seeds started at once


class PeopleOfItsOwn(Exception):
    """The database is somebody's, not the demo's."""


@transaction.atomic
@in_one_transaction()
def seed(now: datetime) -> bool:
    """Play the demo's history up to `now`. False if that has been done before.

    Raises PeopleOfItsOwn for a database in which somebody else has begun.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
    if Organization.objects.filter(kind=Organization.Kind.PLATFORM).exists():
        return False
    if User.objects.exists():
        raise PeopleOfItsOwn
    stage = Stage(now)
    play(stage, [nights(stage), *all_stories(stage)])
    tell(stage)
    # The same for everybody, hashed once: a hash takes a third of a second, by design.
    User.objects.update(password=make_password(PASSWORD))
    return True


def play(stage: Stage, stories: Iterable[Story]) -> None:
    """Let all stories happen, always the one whose next moment is the earliest."""
    waiting = [(next(story), number, story) for number, story in enumerate(stories)]
    heapify(waiting)
    while waiting:
        stage.at, number, story = heappop(waiting)
        moment = next(story, None)
        collect_due(at=stage.at)
        settle_refunds(at=stage.at)
        if moment is None:
            continue
        if moment < stage.at:
            raise ValueError(f"story {number} goes back to {moment} at {stage.at}")
        heappush(waiting, (moment, number, story))


def nights(stage: Stage) -> Story:
    """What the workers do in between: bill what is due, expire, remind."""
    for days in range(FIRST_NIGHT, -1, -1):
        yield stage.ago(days, 10)
        work(stage.at)


def tell(stage: Stage) -> None:
    """Everybody has been told of everything, and has read it but for the last days' news.

    The drain queues mail about all of it. The older mail counts as sent at its time, without being
    written; that of the last days goes into the demo's mailbox once the worker runs.
    """
    drain_events()
    older = stage.now - NEWS
    # Two statements: PostgreSQL knows too little of what this transaction wrote to join it well.
    events = Event.objects.filter(at__lt=older).values_list("pk", flat=True)
    Notification.objects.filter(among("event", events, "bigint")).mark_read(at=stage.now)
    for delivery in Delivery.objects.filter(event__at__lt=older).select_related("event"):
        delivery.mark_sent(at=delivery.told.at)
    summarize(stage)


def summarize(stage: Stage) -> None:
    """Whoever reads once a day has had today's summary; what is fresh waits for the next."""
    waiting = Delivery.objects.awaiting_summary().filter(event__at__lt=stage.now - FRESH)
    waiting.update(due_at=stage.now)
    compose_digests(at=stage.now)
