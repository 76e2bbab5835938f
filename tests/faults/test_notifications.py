"""Killing what turns events into notifications and mails: nothing is lost, nothing doubled."""

import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connections, transaction
from django.urls import reverse
from django.utils import timezone

from billing import events as billing
from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections.kinds import Category
from connections.models import Event, Outbox, User
from notifications.draining import drain_events
from notifications.events import DIGEST_TASK
from notifications.models import Delivery, Digest, Notification, Preference
from notifications.models.mails import DeliveryQuerySet
from revampd.celery import app
from tests.cast import Cast
from tests.notifications.smtp import mail_server

from .servers import Broker, Worker, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
# An expired request is told to owners and billing of both sides; Dora belongs to both.
EVERYBODY = {"Maya", "Noah", "Dora", "Ben", "Bella"}


@transaction.atomic
def let_expire(cast: Cast, count: int) -> list[Event]:
    """`count` events that wait, committed together, after which the bell rings once."""
    return [
        billing.request_expired.record(
            cast.northwind_bluebird,
            by=None,
            at=AT,
            organization=cast.northwind,
            connection=cast.northwind_bluebird,
            item=f"Offer {number}",
        )
        for number in range(count)
    ]


def nothing_waits() -> bool:
    return not Outbox.objects.exists()


def assert_told_once(events: list[Event], people: set[str]) -> None:
    rows = Notification.objects.filter(event__in=events)
    told = Counter(rows.values_list("event", "recipient__name"))
    assert told == {(event.pk, f"{name} Tester"): 1 for event in events for name in people}


@contextmanager
def locked(table: str):
    """Keeps every worker waiting inside its transaction, just before it writes into the table."""
    owner = connections["owner"]
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        yield
    owner.close()


def somebody_waits_for_a_lock(table: str) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table]
        )
        return cursor.fetchone() is not None


class TestKilledWorker:
    def test_tells_everybody_once_whenever_it_is_killed(self, committed_cast, worker: Worker):
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        events = let_expire(committed_cast, 100)
        left = []

        for _ in range(3):
            events += let_expire(committed_cast, 300)
            waiting = Outbox.objects.count()
            worker.start()
            eventually(lambda: Outbox.objects.count() < waiting)  # noqa: B023 - called at once
            time.sleep(moments.uniform(0, 0.1))
            worker.kill()
            left.append(Outbox.objects.count())
        worker.start()
        eventually(nothing_waits)

        print(f"seed {seed}: {left} events waited after the kills")  # noqa: T201
        assert_told_once(events, EVERYBODY)

    def test_leaves_nothing_half_done_when_killed_inside_its_transaction(
        self, committed_cast, worker: Worker
    ):
        events = let_expire(committed_cast, 50)

        with locked("notifications_notification"):
            worker.start()
            eventually(lambda: somebody_waits_for_a_lock("notifications_notification"))
            worker.kill()
        eventually(lambda: not somebody_waits_for_a_lock("notifications_notification"))

        assert Outbox.objects.filter(event__in=events).count() == len(events)
        assert not Notification.objects.filter(event__in=events).exists()
        worker.start()
        eventually(nothing_waits)
        assert_told_once(events, EVERYBODY)

    def test_loses_no_mail_when_killed_while_sending(self, committed_cast, worker: Worker):
        let_expire(committed_cast, 3)
        arriving, killed = threading.Event(), threading.Event()

        def hold(_mail: object) -> None:
            arriving.set()
            killed.wait(30)

        with mail_server() as mailbox:
            mailbox.before_taking = hold
            worker.env["REVAMPD_EMAIL_URL"] = f"smtp://127.0.0.1:{mailbox.port}"
            worker.start()
            assert arriving.wait(30)
            worker.kill()
            killed.set()
            Delivery.objects.update(due_at=timezone.now())
            worker.start()
            eventually(lambda: not Delivery.objects.exclude(state="SENT").exists(), 40)

        expected = {
            f"<{pk}@revampd.example>" for pk in Delivery.objects.values_list("pk", flat=True)
        }
        assert {str(mail["Message-ID"]) for mail in mailbox.mails} == expected
        assert len(mailbox.mails) <= len(expected) + 1


class TestKilledWhileSummarizing:
    """Everybody reads once a day, and the summaries are due."""

    def test_leaves_nothing_half_done_when_killed_while_composing(
        self, committed_cast, worker: Worker
    ):
        parts = summaries_are_due(committed_cast, 10)

        with locked("notifications_digest"):
            worker.start()
            compose_now()
            eventually(lambda: somebody_waits_for_a_lock("notifications_digest"))
            worker.kill()
        eventually(lambda: not somebody_waits_for_a_lock("notifications_digest"))

        assert not Digest.objects.exists()
        assert not parts.exclude(state="WAITING", digest=None).exists()
        worker.start()
        compose_now()
        eventually(lambda: not parts.exclude(state="SENT").exists())
        assert_summarized_once()

    def test_loses_no_summary_when_killed_while_sending(self, committed_cast, worker: Worker):
        parts = summaries_are_due(committed_cast, 10)
        arriving, killed = threading.Event(), threading.Event()

        def hold(_mail: object) -> None:
            arriving.set()
            killed.wait(30)

        with mail_server() as mailbox:
            mailbox.before_taking = hold
            worker.env["REVAMPD_EMAIL_URL"] = f"smtp://127.0.0.1:{mailbox.port}"
            worker.start()
            compose_now()
            assert arriving.wait(60)
            worker.kill()
            killed.set()
            eventually(lambda: not parts.filter(state="SENT").exists(), 5)
            worker.start()
            eventually(lambda: not parts.exclude(state="SENT").exists(), 60)

        assert_summarized_once()
        sent = Delivery.objects.filter(event=None).values_list("pk", flat=True)
        ids = [str(mail["Message-ID"]) for mail in mailbox.mails]
        assert set(ids) == {f"<{pk}@revampd.example>" for pk in sent}
        assert len(ids) <= len(sent) + 1  # the one that was under way may come again


def compose_now() -> None:
    """What beat asks for once a minute."""
    app.send_task(DIGEST_TASK, ignore_result=True)


def summaries_are_due(cast: Cast, count: int) -> DeliveryQuerySet:
    """`count` events that everybody hears of in a summary that is due now. Returns their mails."""
    people = User.objects.filter(name__in=[f"{name} Tester" for name in EVERYBODY])
    for person in people:
        Preference.choose(person, {(Category.BILLING_MANAGEMENT, "MAIL"): "DAILY"}, at=AT)
    events = let_expire(cast, count)
    drain_events()
    Delivery.objects.filter(state="QUEUED").update(state="SENT", sent_at=AT)
    parts: DeliveryQuerySet = Delivery.objects.filter(event__in=events)
    assert parts.update(due_at=timezone.now()) == count * len(EVERYBODY)
    return parts


def assert_summarized_once() -> None:
    """Each has one summary, with all in it, and it has left."""
    summaries = Delivery.objects.filter(event=None)
    assert Counter(summaries.values_list("digest__recipient__name", "state")) == {
        (f"{name} Tester", "SENT"): 1 for name in EVERYBODY
    }
    assert not Delivery.objects.awaiting_summary().exists()


class TestDeadBroker:
    def test_delays_the_telling_and_refuses_no_decision(
        self, committed_cast, broker: Broker, worker: Worker, as_
    ):
        cast = committed_cast
        requests = [propose(cast) for _ in range(100)]
        browser = as_(cast.ben)

        broker.kill()
        seconds = [decide(browser, request) for request in requests]
        broker.start()
        worker.start()
        eventually(nothing_waits)

        seconds.sort()
        print(f"decisions: p50 {seconds[50]:.3f} s, p99 {seconds[98]:.3f} s")  # noqa: T201
        assert seconds[98] < 2
        decisions = Event.objects.filter(
            code__in=["billing_request.approved", "billing_request.rejected"]
        )
        assert decisions.count() == len(requests)
        assert_told_once(list(decisions), EVERYBODY)


def propose(cast: Cast) -> BillingRequest:
    return BillingRequest.propose(
        Proposal(cast.setup), connection=cast.northwind_bluebird, by=cast.noah, at=timezone.now()
    )


def decide(browser, request: BillingRequest) -> float:
    """Approve or reject on the page, as the request's id falls. Returns how long it took."""
    act = "approve" if request.pk.int % 2 else "reject"
    url = reverse(f"billing:{act}-request", args=[request.connection_id, request.pk])
    begun = time.monotonic()
    answer = browser.post(url, {"seal": request.seal})
    assert answer.status_code == 303, answer.content
    return time.monotonic() - begun
