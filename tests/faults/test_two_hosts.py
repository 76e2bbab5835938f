"""Two worker hosts, one database, one broker: one host is cut off in the middle of a billing run,
comes back, and is killed in the middle of the next. The books are those of one host alone.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from devstack.postgres import SUPERUSER
from revampd.settings import broker_url

from .house import CUSTOMERS, House
from .machines import Machine, machines, why_not
from .servers import PORT, Broker, Worker, eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(900),
]

QUEUE = "billing"
# A transaction of a host that is gone is ended by the database after a minute; then there is a run.
PATIENCE = 200


class Host(Worker):
    """A worker on a machine of its own; it has a queue that it shares, and one that is its own."""

    def __init__(self, home: Path, machine: Machine, house: House, broker: Broker) -> None:
        home.mkdir()
        database = f"postgres://revampd_app@{machine.here}:5432/books"
        super().__init__(home, database, broker)
        self.env["REVAMPD_REDIS_URL"] = f"redis://{machine.here}:{PORT}/0"
        self.machine, self._there, self._house = machine.prefix, machine, house

    @property
    def queue(self) -> str:
        return self._there.name

    def options(self) -> list[str]:
        return ["--queues", f"{QUEUE},{self.queue}"]

    def until_it_writes(self) -> None:
        """Wait for a transaction of this host that has written something and is not over."""
        writing = (
            "SELECT 1 FROM pg_stat_activity WHERE client_addr = %s AND backend_xid IS NOT NULL"
        )
        with self._house.session("postgres", SUPERUSER) as session:
            deadline = time.monotonic() + 60
            while not session.execute(writing, [self._there.there]).fetchall():
                assert time.monotonic() < deadline, "it never wrote"


class Bell:
    """Asks for tasks, as beat would."""

    def __init__(self, broker: Broker) -> None:
        self._app = Celery("test", broker=broker_url(broker.url), set_as_current=False)

    def ring(self, task: str, queue: str = QUEUE) -> None:
        self._app.send_task(task, queue=queue)

    def close(self) -> None:
        self._app.close()


@pytest.fixture
def two(house: House, home: Path) -> Iterator[tuple[Host, Host, Machine, Bell]]:
    """Two hosts at work, the cable of the second one, and the bell."""
    if reason := why_not():
        pytest.skip(reason)
    with machines(2) as made:
        broker = Broker(home, *(machine.here for machine in made))
        broker.start()
        house.open_to(*(machine.network for machine in made))
        house.restore()
        hosts = [Host(home / machine.name, machine, house, broker) for machine in made]
        bell = Bell(broker)
        try:
            for host in hosts:
                host.start()
            yield hosts[0], hosts[1], made[1], bell
        finally:
            bell.close()
            for host in hosts:
                host.close()
            broker.close()
            house.open_to()


class TestTwoHosts:
    def test_leave_the_books_of_one_when_the_other_is_cut_off_and_killed(self, house: House, two):
        first, second, cable, bell = two

        bell.ring("billing.run_cycle")
        bell.ring("billing.run_cycle")
        second.until_it_writes()
        cable.cut_off()
        at_the_cut = house.issued()
        finish(house, bell, first)
        assert house.fingerprint() == house.undisturbed

        cable.bring_back()
        bell.ring("billing.run_cycle", second.queue)
        bell.ring("billing.verify_books", second.queue)
        eventually(lambda: house.count("billing_bookscheck") == 1, PATIENCE)
        assert house.count("billing_bookscheck WHERE differences <> '[]'") == 0
        assert house.fingerprint() == house.undisturbed

        house.restore()
        bell.ring("billing.run_cycle")
        bell.ring("billing.run_cycle")
        second.until_it_writes()
        second.kill()
        at_the_kill = house.issued()
        finish(house, bell, first)
        assert house.fingerprint() == house.undisturbed
        house.assert_books_agree()

        print(f"invoices at the cut {at_the_cut}, at the kill {at_the_kill}")  # noqa: T201
        assert at_the_cut < CUSTOMERS
        assert at_the_kill < CUSTOMERS


def finish(house: House, bell: Bell, host: Host) -> None:
    """Let a host that is left go on, with the runs that beat asks for, until all is billed."""
    deadline = time.monotonic() + PATIENCE
    while house.issued() < CUSTOMERS:
        assert time.monotonic() < deadline, f"{house.issued()} of {CUSTOMERS}"
        before = house.count("billing_billingrun WHERE finished_at IS NOT NULL")
        bell.ring("billing.run_cycle", host.queue)
        eventually(
            lambda: (
                house.count("billing_billingrun WHERE finished_at IS NOT NULL") > before  # noqa: B023
                or house.issued() == CUSTOMERS
            ),
            PATIENCE,
        )
