"""Two worker hosts, one database, one broker: one host is cut off in the middle of a billing run,
comes back, and is killed in the middle of the next. The books are those of one host alone, also if
what was billed is collected; and a person whom one host has signed in is known to the other.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery
from django.contrib.auth.hashers import make_password

from billing.events import COLLECT_TASK, RECONCILE_TASK
from devstack.postgres import SUPERUSER
from revampd.settings import broker_url

from .house import CUSTOMERS, PAYERS, House
from .machines import Machine, machines, why_not
from .servers import PORT, Broker, Worker, eventually
from .web import Visitor, Web

pytestmark = [
    pytest.mark.faults,
    pytest.mark.pulls_cables,
    pytest.mark.xdist_group("browser"),  # which it disturbs: tests/browser/conftest.py
    pytest.mark.timeout(1800),
]

QUEUE = "billing"
# A transaction of a host that is gone is ended by the database after a minute. What the gateway was
# asked is looked up after a minute, and again after another one if that came too early.
PATIENCE = 400
UNPAID = "billing_invoice WHERE outstanding > 0"
TWICE = "(SELECT FROM billing_payment GROUP BY invoice_id HAVING count(*) > 1) twice"
WAITS = """
SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND relation = 'billing_transfer'::regclass AND client_addr = %s
"""
EMAIL, PASSWORD = "owner@example.com", "correct horse battery"
PERSON = """
WITH person AS (UPDATE connections_user SET password = %s WHERE email = %s RETURNING id, email)
INSERT INTO account_emailaddress (email, verified, "primary", user_id)
SELECT email, true, true, id FROM person
"""


class Host(Worker):
    """A worker on a machine of its own; it has a queue that it shares, and one that is its own."""

    def __init__(self, home: Path, machine: Machine, house: House, broker: Broker) -> None:
        home.mkdir()
        database = f"postgres://revampd_app@{machine.here}:5432/books"
        super().__init__(home, database, broker)
        self.env["REVAMPD_REDIS_URL"] = f"redis://{machine.here}:{PORT}/0"
        self.machine, self.there, self._house = machine.prefix, machine, house

    @property
    def queue(self) -> str:
        return self.there.name

    def options(self) -> list[str]:
        return ["--queues", f"{QUEUE},{self.queue}"]

    def until_it_writes(self) -> None:
        """Wait for a transaction of this host that has written something and is not over."""
        writing = (
            "SELECT 1 FROM pg_stat_activity WHERE client_addr = %s AND backend_xid IS NOT NULL"
        )
        with self._house.session("postgres", SUPERUSER) as session:
            deadline = time.monotonic() + 60
            while not session.execute(writing, [self.there.there]).fetchall():
                assert time.monotonic() < deadline, "it never wrote"

    def cut_off_before_it_books(self, cable: Machine) -> None:
        """Cut it off after the gateway took the money, and before that is booked."""
        # A transaction sees who is connected as it first saw it: somebody else watches.
        books, watch = self._house.session("books"), self._house.session("books")
        with books, watch, books.transaction():
            books.execute("LOCK TABLE billing_transfer IN SHARE ROW EXCLUSIVE MODE")
            eventually(lambda: bool(watch.execute(WAITS, [self.there.there]).fetchall()), 60)
            cable.cut_off()


class Bell:
    """Asks for tasks, as beat would."""

    def __init__(self, broker: Broker) -> None:
        self._app = Celery("test", broker=broker_url(broker.url), set_as_current=False)
        self.unheard = broker.waiting

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

    def test_charge_nobody_twice_when_one_is_cut_off_while_it_collects(self, house: House, two):
        first, second, cable, bell = two
        house.let_pay()
        bill(house, bell, first)
        collect(house, bell, first)
        alone = house.fingerprint(), house.collected()

        house.let_pay()
        bill(house, bell, first, second)
        # Alone at first: the other might have collected all before this one began.
        bell.ring(COLLECT_TASK, second.queue)
        eventually(lambda: house.count("billing_payment WHERE state = 'SUCCEEDED'") > 0, PATIENCE)
        bell.ring(COLLECT_TASK, first.queue)
        second.cut_off_before_it_books(cable)
        unpaid = house.count(UNPAID)
        collect(house, bell, first)
        assert (house.fingerprint(), house.collected()) == alone

        cable.bring_back()
        for task in ("billing.run_cycle", COLLECT_TASK, RECONCILE_TASK, "billing.verify_books"):
            bell.ring(task, second.queue)
        eventually(lambda: house.count("billing_bookscheck") == 1, PATIENCE)
        assert house.count("billing_bookscheck WHERE differences <> '[]'") == 0
        assert house.count(TWICE) == 0
        assert (house.fingerprint(), house.collected()) == alone
        house.assert_books_agree()

        print(f"{unpaid} of {PAYERS} were not collected at the cut")  # noqa: T201
        assert 0 < unpaid < PAYERS

    def test_know_the_same_people_and_say_when_they_cannot_serve_them(self, house: House, two):
        first, second, cable, _bell = two
        house.let_pay()
        with house.session("books", SUPERUSER) as session:
            session.execute(PERSON, [make_password(PASSWORD), EMAIL])
        with closing(Web(first.there, first.env)) as one, closing(Web(cable, second.env)) as other:
            one.until_ready()
            other.until_ready()
            person = Visitor()
            assert "Olive Owner" in person.sign_in(one, EMAIL, PASSWORD)
            assert "Olive Owner" in person.open(other, "/")
            assert '"database": "ok"' in other.says()

            cable.cut_off()
            assert not other.is_ready()
            assert "503" in other.says()
            assert one.is_ready()
            assert "Olive Owner" in person.open(one, "/")

            cable.bring_back()
            other.until_ready()
            assert "Olive Owner" in person.open(other, "/")


def bill(house: House, bell: Bell, *hosts: Host) -> None:
    for host in hosts:
        bell.ring("billing.run_cycle", host.queue)
    eventually(lambda: house.issued() == PAYERS, PATIENCE)


def collect(house: House, bell: Bell, host: Host) -> None:
    """Let a host collect, and learn what became of what others began, until all is paid."""

    def is_collected() -> bool:
        if not bell.unheard(host.queue):
            bell.ring(COLLECT_TASK, host.queue)
            bell.ring(RECONCILE_TASK, host.queue)
        return house.count(UNPAID) == 0

    eventually(is_collected, PATIENCE)


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
