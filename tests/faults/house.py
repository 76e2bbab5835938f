"""The books of 5,000 customers who owe a period, on servers of our own: billed again and again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from devstack.places import ROOT
from devstack.postgres import APPLICATION, OWNER, SUPERUSER, Postgres
from devstack.processes import Processes
from tests.crowd import CARDS, seed

from .servers import Broker, eventually

# One period is due, and no second one while the tests run: where the providers are, it is morning.
ZONE = "UTC" if datetime.now(UTC).hour < 12 else "Etc/GMT+12"
DAY = datetime.now(ZoneInfo(ZONE)).date()
CUSTOMERS = 5_000
# Of books of their own, all with a card that pays.
PAYERS = 300
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
# What was collected, by the gateway and by us.
COLLECTED = """
WITH rows (kind, content) AS (
    SELECT 'payment', concat_ws('|', payment.connection_id, period_start, method_id, amount,
        refunded, payment.state, cause, failure) FROM billing_payment payment
        JOIN billing_invoice invoice ON invoice.id = invoice_id
    UNION ALL SELECT 'charge', concat_ws('|', charge.customer, charge.method_id, charge.amount,
        charge.state, charge.key = payment.id, charge.reference = payment.reference)
        FROM billing_sandboxcharge charge LEFT JOIN billing_payment payment ON key = payment.id
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
        self._have_payers = False
        self._start_postgres()
        self.broker.start()
        assert self._manage("revampd", "migrate", "-v0").wait() == 0, self.said
        self._seed("due", CUSTOMERS)
        self.restore()
        with self.begun() as run:
            begun_at = time.monotonic()
            assert run.wait() == 0, self.said
            self.longest = (time.monotonic() - begun_at) * LONGEST
        self.undisturbed = self.fingerprint()

    def _start_postgres(self) -> None:
        self._child = self._postgres.start()
        self._postgres.wait()

    def _seed(self, name: str, customers: int, besides: str = "SELECT 1") -> None:
        self._copy("revampd", name)
        with self.session(name, OWNER) as session, session.transaction():
            seed(psycopg.ClientCursor(session), customers, DAY, zone=ZONE)
            session.execute(besides)

    def restore(self) -> None:
        """The books as they were before the run."""
        self._copy("due", "books")

    def let_pay(self) -> None:
        """Other books than those of `restore`: of fewer customers, who have cards."""
        if not self._have_payers:
            self._seed("paying", PAYERS, CARDS)
            self._have_payers = True
        self._copy("paying", "books")

    def _copy(self, template: str, name: str) -> None:
        with self.session("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            session.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")

    def session(self, name: str, role: str = SUPERUSER) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(name, role), autocommit=True)

    def url(self, name: str = "books", role: str = APPLICATION) -> str:
        return self._postgres.url(role).replace("@/revampd?", f"@/{name}?")

    def run(self) -> subprocess.Popen[bytes]:
        """The billing run in a process of its own."""
        return self._manage("books", "bill_due", "--on", DAY.isoformat())

    def env(self, name: str) -> dict[str, str]:
        """What leads a process of its own to a database of the house."""
        return {
            "REVAMPD_DATABASE_URL": self.url(name, APPLICATION),
            "REVAMPD_DATABASE_OWNER_URL": self.url(name, OWNER),
            "REVAMPD_REDIS_URL": self.broker.url,
        }

    def _manage(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with self._said.open("wb") as said:
            return subprocess.Popen(
                [*MANAGE, *command], env=os.environ | self.env(name), stdout=said, stderr=said
            )

    @property
    def said(self) -> str:
        """What the last run printed."""
        return self._said.read_text()

    @contextmanager
    def begun(self) -> Iterator[subprocess.Popen[bytes]]:
        """A run that has begun, or come to its end."""
        before = self.count("billing_billingrun")
        with self.run() as run:
            eventually(
                lambda: run.poll() is not None or self.count("billing_billingrun") > before, 120
            )
            yield run

    def issued(self) -> int:
        return self.count("billing_invoice")

    def count(self, rows: str) -> int:
        """How many rows a table has, or what stands after FROM."""
        with self.session("books") as session:
            [found] = session.execute(f"SELECT count(*) FROM {rows}").fetchall()
            return int(found[0])

    def kill_database(self) -> None:
        """An immediate stop: everybody is thrown out, nothing is written down first."""
        self._child.popen.send_signal(signal.SIGQUIT)
        self._processes.finish(self._child)
        self._start_postgres()

    def open_to(self, *networks: str) -> None:
        """Let other machines in, or nobody again."""
        self._postgres.open_to(*networks)
        self.kill_database()

    def kill_broker(self) -> None:
        self.broker.kill()
        self.broker.start()

    def fingerprint(self) -> list[tuple[str, int, str]]:
        with self.session("books") as session:
            assert not session.execute(GAPS).fetchall()
            return session.execute(FINGERPRINT).fetchall()

    def collected(self) -> list[tuple[str, int, str]]:
        with self.session("books") as session:
            return session.execute(COLLECTED).fetchall()

    def assert_books_agree(self) -> None:
        assert self._manage("books", "verify_books").wait() == 0, self.said
