"""Killing the worker that bills: whichever of its processes dies, the books are as if none had.

A child of the worker does the task, its parent brings it. The parent replaces a child that was
killed; when it is killed itself its child goes with it, and a new worker is started.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from revampd.settings import broker_url

from .house import CUSTOMERS, House
from .servers import Worker, eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(600),
]

# A new child is there at once, a new worker after seconds.
KILLED_CHILDREN, KILLED_PARENTS = 24, 6
# Nobody else reads it. What a run rings for, such as payments, waits in the common queue.
QUEUE = "billing"

RUNS = "billing_billingrun"


class BillingWorker(Worker):
    """A worker without beat, on the books of the house: it does what it is asked for, no more."""

    def __init__(self, home: Path, house: House) -> None:
        super().__init__(home, house.url(), house.broker)
        self._bell = Celery("test", broker=broker_url(house.broker.url), set_as_current=False)

    def options(self) -> list[str]:
        # A task counts as taken for ten seconds after its child was killed.
        return ["--queues", QUEUE, "--prefetch-multiplier", "100"]

    def ask(self, task: str) -> None:
        self._bell.send_task(task, queue=QUEUE)

    def kill_child(self) -> None:
        """kill -9 of the process that does the tasks."""
        assert self._process is not None
        [stats] = self._bell.control.inspect(timeout=10, limit=1).stats().values()
        [child] = stats["pool"]["processes"]
        assert os.getpgid(child) == self._process.pid != child
        os.kill(child, signal.SIGKILL)

    def kill_parent(self) -> None:
        """kill -9 of the process that started it all, after which the next one is started."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.start()

    def close(self) -> None:
        super().close()
        self._bell.close()


@pytest.fixture
def worker(home: Path, house: House) -> Iterator[BillingWorker]:
    worker = BillingWorker(home, house)
    house.restore()
    worker.start()
    yield worker
    worker.close()


class TestKilledWorker:
    def test_leaves_the_books_as_one_that_was_not_disturbed(self, house, worker, moments):
        kills = [worker.kill_child] * KILLED_CHILDREN + [worker.kill_parent] * KILLED_PARENTS
        moments.shuffle(kills)
        left = []

        while kills:
            house.restore()
            left += disturb(house, worker, kills, moments)
            assert house.fingerprint() == house.undisturbed

        house.assert_books_agree()
        print(f"invoices at each kill: {left}")  # noqa: T201
        assert len(left) == KILLED_CHILDREN + KILLED_PARENTS
        # Many kills found a run that had issued something, and not everything.
        assert sum(0 < issued < CUSTOMERS for issued in left) > len(left) / 3


def disturb(
    house: House,
    worker: BillingWorker,
    kills: list[Callable[[], None]],
    moments: random.Random,
) -> list[int]:
    """Ask for runs until everything is billed; each is killed as long as there are `kills`.

    Returns how many invoices stood at each kill.
    """
    left: list[int] = []
    while house.issued() < CUSTOMERS:
        runs = house.count(RUNS)
        worker.ask("billing.run_cycle")
        # What the last one had sent off may be all that was missing.
        eventually(lambda: house.count(RUNS) > runs or house.issued() == CUSTOMERS)  # noqa: B023
        if kills:
            time.sleep(moments.uniform(0, house.longest))
        else:
            eventually(lambda: house.issued() == CUSTOMERS)
        if house.issued() < CUSTOMERS:
            kills.pop()()
            left.append(house.issued())
    return left
