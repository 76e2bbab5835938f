"""Killing a billing run, its database and its broker: afterwards the books are as if nothing was.

A run of 5,000 is disturbed again and again until it comes to its end; then the next one begins on
a fresh copy of the same books, until each was killed thirty times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack.places import ROOT, temporary_home
from devstack.postgres import APPLICATION, OWNER, SUPERUSER, Postgres
from devstack.processes import Processes
from tests.crowd import seed

from .conftest import Broker, eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(600),
]

DAY = date(2026, 12, 10)
CUSTOMERS = 5_000
KILLS = 30
# Of an undisturbed run: as long as two chunks of five, so that each attempt may get somewhere.
LONGEST = 0.4
MANAGE = [sys.executable, str(ROOT / "manage.py")]

# All rows of the books, without ids that chance gives and instants. Numbers are compared apart:
# a chunk that was skipped while a dying process still held it is numbered after the others.
FINGERPRINT = """
WITH invoice AS (
    SELECT md5(concat_ws('|', connection_id, period_start)) AS name, invoice.*
    FROM billing_invoice invoice
), rows (kind, content) AS (
    SELECT 'invoice', concat_ws('|', connection_id, provider_id, state, kind, currency, total,
        credited, paid, held, corrected, outstanding, period_start, period_end, issue_date,
        due_date, collect_on, provider_details, customer_details) FROM invoice
    UNION ALL SELECT 'line', concat_ws('|', name, line.connection_id, request_id, item_id, position,
        line.kind, measure, description, quantity, unit_price, amount, line.period_start,
        line.period_end) FROM billing_invoiceline line JOIN invoice ON invoice.id = invoice_id
    UNION ALL SELECT 'application', concat_ws('|', name, credit_id, amount, returned)
        FROM billing_creditapplication JOIN invoice ON invoice.id = invoice_id
    UNION ALL SELECT 'transfer', concat_ws('|', transfer.connection_id, transfer.kind, debit,
        credit, amount, name) FROM billing_transfer transfer
        LEFT JOIN invoice ON invoice.id = document
    UNION ALL SELECT 'subscription', concat_ws('|', subscription.*)
        FROM billing_subscription subscription
    UNION ALL SELECT 'item', concat_ws('|', item.*) FROM billing_subscriptionitem item
    UNION ALL SELECT 'credit', concat_ws('|', credit.*) FROM billing_credit credit
    UNION ALL SELECT 'series', concat_ws('|', series.*) FROM billing_invoiceseries series
    UNION ALL SELECT 'event', concat_ws('|', code, organization_id, event.connection_id, name,
        facts - 'number' - 'code', problem) FROM connections_event event
        JOIN invoice ON invoice.id::text = subject_id
        LEFT JOIN connections_outbox ON event_id = event.id
)
SELECT kind, count(*), md5(string_agg(content, E'\\n' ORDER BY content))
FROM rows GROUP BY kind ORDER BY kind
"""
GAPS = """
SELECT provider_id FROM billing_invoice GROUP BY provider_id
HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)
"""


class House:
    """A PostgreSQL and a broker of our own, and the same books to be billed again and again."""

    def __init__(self, home: Path, processes: Processes, broker: Broker) -> None:
        self._processes = processes
        # The server fails here, not the machine: what it has written stays without fsync, too.
        self._postgres = Postgres(home, processes, durable=False)
        self.broker = broker
        self._said = home / "said.txt"
        self._start_postgres()
        self.broker.start()
        assert self._manage("revampd", "migrate", "-v0").wait() == 0, self.said
        self._copy("revampd", "due")
        with self.session("due", OWNER) as session, session.transaction():
            seed(psycopg.ClientCursor(session), CUSTOMERS, DAY)
        self.restore()
        with self.begun() as run:
            begun_at = time.monotonic()
            assert run.wait() == 0, self.said
            self.longest = (time.monotonic() - begun_at) * LONGEST
        self.undisturbed = self.fingerprint()

    def _start_postgres(self) -> None:
        self._child = self._postgres.start()
        self._postgres.wait()

    def restore(self) -> None:
        """The books as they were before the run."""
        self._copy("due", "books")

    def _copy(self, template: str, name: str) -> None:
        with self.session("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            session.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")

    def session(self, name: str, role: str = SUPERUSER) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url(name, role), autocommit=True)

    def _url(self, name: str, role: str) -> str:
        return self._postgres.url(role).replace("@/revampd?", f"@/{name}?")

    def run(self) -> subprocess.Popen[bytes]:
        """The billing run in a process of its own."""
        return self._manage("books", "bill_due", "--on", DAY.isoformat())

    def _manage(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        env = {
            "REVAMPD_DATABASE_URL": self._url(name, APPLICATION),
            "REVAMPD_DATABASE_OWNER_URL": self._url(name, OWNER),
            "REVAMPD_REDIS_URL": self.broker.url,
        }
        with self._said.open("wb") as said:
            return subprocess.Popen(
                [*MANAGE, *command], env=os.environ | env, stdout=said, stderr=said
            )

    @property
    def said(self) -> str:
        """What the last run printed."""
        return self._said.read_text()

    @contextmanager
    def begun(self) -> Iterator[subprocess.Popen[bytes]]:
        """A run that has begun, or come to its end."""
        with self.session("books") as session:
            before = self._count(session, "billing_billingrun")
            with self.run() as run:
                eventually(
                    lambda: (
                        run.poll() is not None
                        or self._count(session, "billing_billingrun") > before
                    )
                )
                session.close()
                yield run

    def issued(self) -> int:
        with self.session("books") as session:
            return self._count(session, "billing_invoice")

    @staticmethod
    def _count(session: psycopg.Connection[Any], table: str) -> int:
        [row] = session.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(row[0])

    def kill_database(self) -> None:
        """An immediate stop: everybody is thrown out, nothing is written down first."""
        self._child.popen.send_signal(signal.SIGQUIT)
        self._processes.finish(self._child)
        self._start_postgres()

    def kill_broker(self) -> None:
        self.broker.kill()
        self.broker.start()

    def fingerprint(self) -> list[tuple[str, int, str]]:
        with self.session("books") as session:
            assert not session.execute(GAPS).fetchall()
            return session.execute(FINGERPRINT).fetchall()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with ExitStack() as stack:
        home = stack.enter_context(temporary_home())
        broker = Broker(home)
        stack.callback(broker.close)
        yield House(home, stack.enter_context(Processes()), broker)


@pytest.fixture
def moments() -> random.Random:
    seed = random.randrange(10**6)
    print(f"\nmoments drawn with seed {seed}")  # noqa: T201 - to have the same ones again
    return random.Random(seed)


def disturb(
    house: House,
    kill: Callable[[subprocess.Popen[bytes]], None],
    moments: random.Random,
    most: int,
) -> list[int]:
    """Bill the books anew, killed at random moments, `most` times. What stood at each kill."""
    house.restore()
    left: list[int] = []
    code = None
    while code is None:
        with house.begun() as run:
            if len(left) < most:
                time.sleep(moments.uniform(0, house.longest))
                code = run.poll()
            else:
                code = run.wait()
            if code is None:
                kill(run)
                left.append(house.issued())
    assert code == 0, house.said
    assert house.fingerprint() == house.undisturbed
    return left


def until_killed_often(
    house: House, kill: Callable[[subprocess.Popen[bytes]], None], moments: random.Random
) -> None:
    left: list[int] = []
    while len(left) < KILLS:
        left += disturb(house, kill, moments, KILLS - len(left))
    # It was killed in the middle, not only before the first or after the last invoice.
    assert any(0 < issued < CUSTOMERS for issued in left)
    print(f"invoices at each kill: {left}")  # noqa: T201


class TestKilledRun:
    def test_leaves_the_books_as_one_that_was_not_disturbed(self, house, moments):
        def kill(run: subprocess.Popen[bytes]) -> None:
            run.kill()
            run.wait()

        until_killed_often(house, kill, moments)


class TestKilledDatabase:
    def test_keeps_the_books_of_an_undisturbed_run(self, house, moments):
        def kill(run: subprocess.Popen[bytes]) -> None:
            house.kill_database()
            run.wait()

        until_killed_often(house, kill, moments)


class TestKilledBroker:
    def test_is_not_even_noticed(self, house, moments):
        kills = 0
        while kills < KILLS:
            house.restore()
            with house.begun() as run:
                while run.poll() is None:
                    house.kill_broker()
                    kills += 1
                    time.sleep(moments.uniform(0, house.longest / 5))
            assert run.returncode == 0, house.said
            assert house.fingerprint() == house.undisturbed
