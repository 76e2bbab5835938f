"""Killing the worker while it invites the Sub-Orgs of a file: each is invited, and only once."""

import random
import time
from collections import Counter

import pytest

from billing.models import SubOrgImport
from connections.models import Connection, Event, Invitation
from notifications.models import Delivery
from tests.billing.partners import clinics, confirm, take_tier

from .servers import Worker, eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(300),
]

ROWS = 300
KILLS = 3


def done() -> int:
    return SubOrgImport.objects.get().done


class TestKilledWorker:
    def test_invites_every_sub_org_once_whenever_it_is_killed(self, committed_cast, worker: Worker):
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        take_tier(committed_cast, ROWS + 1)
        confirm(committed_cast, clinics(ROWS))
        left = []

        for _ in range(KILLS):
            before = done()
            worker.start()
            eventually(lambda: done() > before)  # noqa: B023 - called at once
            time.sleep(moments.uniform(0, 0.3))
            worker.kill()
            left.append(done())
        worker.start()
        eventually(lambda: not SubOrgImport.objects.under_way().exists(), 100)
        eventually(lambda: Delivery.objects.filter(address__startswith="owner-").count() == ROWS)

        print(f"seed {seed}: {left} rows were done after the kills")  # noqa: T201
        assert left[-1] < ROWS
        sent_import = SubOrgImport.objects.get()
        assert (sent_import.invited, sent_import.refused) == (ROWS, 0)
        assert_invited_once(committed_cast)


def assert_invited_once(cast) -> None:
    own = Connection.objects.filter(provider=cast.northwind).exclude(customer=cast.bluebird)
    names = Counter(own.values_list("customer__name", flat=True))
    assert names == Counter(f"Clinic {number}" for number in range(1, ROWS + 1))
    assert Invitation.objects.filter(connection__in=own).count() == ROWS
    mailed = Counter(
        Delivery.objects.filter(address__startswith="owner-").values_list("address", flat=True)
    )
    assert mailed == Counter(f"owner-{number}@example.com" for number in range(1, ROWS + 1))
    assert Event.objects.filter(code="import.finished").count() == 1
