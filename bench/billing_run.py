"""The billing run beside the floor, a bulk loop and a naive loop, on the same database.

    .venv/bin/python bench/billing_run.py [--sizes 10000 100000] [--pairs 5]
        [--contenders floor run bulk naive:2]

Starts its own PostgreSQL (with fsync) and Valkey, seeds one database a size, and gives every
contender a fresh copy of it, in turn. Prints a table, and leaves nothing behind. Linux only: CPU
and memory of the database's process are read from /proc.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402
from measuring import Measured, peak_memory, position, table  # noqa: E402

from devstack.places import temporary_home  # noqa: E402
from devstack.postgres import OWNER, SUPERUSER, Postgres  # noqa: E402
from devstack.processes import Processes  # noqa: E402
from devstack.valkey import Valkey  # noqa: E402

CONTENDER = [sys.executable, str(ROOT / "bench" / "billing_contenders.py")]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
DAY = date(2026, 12, 10)
NAIVE_SIZE = 10_000  # above, it does not take part

# What must be the same in the books of all contenders.
BOOKS = """
SELECT (SELECT (count(*), sum(total), sum(credited), sum(number), count(collect_on),
            count(*) FILTER (WHERE state = 'PAID'), min(period_end), max(due_date))
        FROM billing_invoice)::text,
    (SELECT md5(string_agg(concat_ws('|', connection_id, item_id, request_id, position, kind,
            description, quantity, unit_price, amount, period_start, period_end), ','
            ORDER BY item_id, period_start)) FROM billing_invoiceline),
    (SELECT md5(string_agg(concat_ws('|', connection_id, credit_id, amount), ','
            ORDER BY credit_id)) FROM billing_creditapplication),
    (SELECT md5(string_agg(concat_ws('|', connection_id, kind, debit, credit, amount), ','
            ORDER BY connection_id, kind, amount)) FROM billing_transfer),
    (SELECT md5(string_agg(facts - ARRAY['number', 'code'] || jsonb_build_object('code', code,
            'at', at, 'by', organization_id, 'type', subject_type, 'origin', origin) #>> '{}', ','
            ORDER BY connection_id)) FROM connections_event WHERE code = 'invoice.issued'),
    (SELECT count(*) FROM connections_outbox),
    (SELECT md5(string_agg(concat_ws('|', id, billed_to), ',' ORDER BY id))
        FROM billing_subscriptionitem),
    (SELECT md5(string_agg(concat_ws('|', id, next_invoice_date, end_date), ',' ORDER BY id))
        FROM billing_subscription),
    (SELECT md5(string_agg(concat_ws('|', id, applied), ',' ORDER BY id)) FROM billing_credit),
    (SELECT md5(string_agg(concat_ws('|', provider_id, last_number), ',' ORDER BY provider_id))
        FROM billing_invoiceseries),
    (SELECT count(*) FROM (SELECT 1 FROM billing_invoice GROUP BY provider_id
        HAVING count(*) <> max(number) OR min(number) <> 1) gap)
"""


@dataclass
class Server:
    """The database server of this measurement, and what it has been filled with."""

    postgres: Postgres
    env: dict[str, str]
    seeded: dict[int, str] = field(default_factory=dict)

    def url(self, name: str, role: str = SUPERUSER) -> str:
        return self.postgres.url(role).replace("@/revampd?", f"@/{name}?")

    @contextmanager
    def session(self, name: str, role: str = SUPERUSER) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url(name, role), autocommit=True) as session:
            yield session

    def template(self, size: int) -> str:
        """A database with `size` connections, all of which owe a period; made once."""
        if size not in self.seeded:
            self.seeded[size] = f"seeded_{size}"
            self._copy("revampd", self.seeded[size])
            from tests.crowd import seed

            with self.session(self.seeded[size], OWNER) as session, session.transaction():
                seed(psycopg.ClientCursor(session), size, DAY)
            with self.session(self.seeded[size]) as session:
                session.execute("VACUUM (ANALYZE, FREEZE)")
        return self.seeded[size]

    def fresh(self, size: int) -> str:
        self._copy(self.template(size), "contest")
        return "contest"

    def _copy(self, template: str, name: str) -> None:
        with self.session("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            session.execute("CHECKPOINT")


def main() -> None:
    options = arguments()
    with temporary_home() as home, Processes() as processes:
        server = start(home, processes)
        for size in options.sizes:
            contest(server, entrants(options, size), size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pairs", type=int, default=5, help="rounds; medians are of these")
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=["floor", "run", "bulk", "naive:2"],
        metavar="NAME[:ROUNDS]",
        help="the first is what the others are compared with; a slow one may take part in the"
        " first ROUNDS only",
    )
    return parser.parse_args()


def entrants(options: argparse.Namespace, size: int) -> dict[str, int]:
    """Who takes part at this size, and in how many rounds."""
    named = (entry.partition(":") for entry in options.contenders)
    rounds = {name: int(limit or options.pairs) for name, _, limit in named}
    return {name: most for name, most in rounds.items() if name != "naive" or size <= NAIVE_SIZE}


def start(home: Path, processes: Processes) -> Server:
    postgres, valkey = Postgres(home, processes), Valkey(home, processes)
    postgres.start()
    valkey.start()
    postgres.wait()
    valkey.wait()
    env = {
        "DJANGO_SETTINGS_MODULE": "revampd.settings",
        "REVAMPD_MODE": "test",
        "REVAMPD_DATABASE_URL": postgres.url(),
        "REVAMPD_DATABASE_OWNER_URL": postgres.url(OWNER),
        "REVAMPD_REDIS_URL": valkey.url(),
        "REVAMPD_LOCAL_DIR": str(home),
        "REVAMPD_EMAIL_URL": "dummymail://",
    }
    os.environ |= env
    processes.run("migrate", [*MANAGE, "migrate", "-v0"])

    import django

    django.setup()
    return Server(postgres, env)


def contest(server: Server, rounds: Mapping[str, int], size: int) -> None:
    """Let all take turns, and print how they compare with the first of them."""
    results: dict[str, list[Measured]] = {name: [] for name in rounds}
    books: dict[str, Any] = {}
    for turn in range(max(rounds.values())):
        for name in (name for name, most in rounds.items() if turn < most):
            results[name].append(measure(server, name, size))
            with server.session("contest") as session:
                written = session.execute(BOOKS).fetchone()
            if books.setdefault("all", written) != written:
                sys.exit(f"{name} wrote other books: {written} instead of {books['all']}")
    print(f"\n{size:,} connections; books the same for all\n")
    print(table(results), flush=True)


def measure(server: Server, name: str, size: int) -> Measured:
    """Run one contender in a process of its own, on a fresh copy."""
    database = server.fresh(size)
    env = os.environ | {"REVAMPD_DATABASE_URL": server.url(database, "revampd_app")}
    with server.session("postgres") as session:
        before = position(session)
        process = subprocess.Popen(  # noqa: S603
            [*CONTENDER, name, DAY.isoformat()],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said, told = process.stdout, process.stdin
        said.readline()  # it is ready
        with peak_memory(process.pid) as memory:
            told.write("go\n")
            told.flush()
            answer = said.readline()
        told.close()
        if process.wait() or not answer:
            sys.exit(f"{name} failed")
        wal = position(session) - before
    found = json.loads(answer)
    return Measured(found["invoices"], found["wall"], found["cpu"], wal, memory[1] - memory[0])


if __name__ == "__main__":
    main()
