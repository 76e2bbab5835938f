"""Killing the worker while it moves the demo's clock: no day is lost, and none is lived twice."""

import random
import time
from collections import Counter

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from billing.pricing import Interval, boundary
from notifications.models import Notification
from revampd.models import ClockMove
from tests.billing.acts import agree, issued

from .servers import Worker, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

MONTHS = 12


def days_done() -> int:
    return ClockMove.objects.get().days_done


class TestKilledWorker:
    def test_lives_through_every_day_once_whenever_it_is_killed(
        self, committed_cast, worker: Worker
    ):
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        now, connection = timezone.now(), committed_cast.northwind_bluebird
        worker.env["REVAMPD_MODE"] = "demo"
        agree(committed_cast, at=now)
        start = connection.day_of(now)
        target = start + relativedelta(months=MONTHS)
        ClockMove.begin(connection, to=target, by=committed_cast.maya, now=now)
        left = []

        for _ in range(4):
            done = days_done()
            worker.start()
            eventually(lambda: days_done() > done)  # noqa: B023 - called at once
            time.sleep(moments.uniform(0, 0.3))
            worker.kill()
            left.append(days_done())
        worker.start()
        eventually(lambda: not ClockMove.objects.under_way().exists(), 100)

        print(f"seed {seed}: {left} days were done after the kills")  # noqa: T201
        move = ClockMove.objects.get()
        assert (move.problem, move.reached_date) == ("", target)
        assert left[-1] < move.days
        connection.refresh_from_db()
        assert connection.today == target
        days = [boundary(start, Interval.MONTH, number) for number in range(MONTHS + 1)]
        assert [invoice.issue_date for invoice in issued(committed_cast)] == days
        assert_told_once(days=len(days))


def assert_told_once(days: int) -> None:
    told = Counter(
        Notification.objects.filter(event__code="invoice.issued").values_list(
            "title", "recipient__name"
        )
    )
    assert set(told.values()) == {1}
    # Owner and billing member of Bluebird; Dora is an owner, too.
    assert len(told) == days * len({"Ben", "Bella", "Dora"})
