"""How many rows and bytes an invoice comes to, table by table.

    .venv/bin/python bench/sizes.py [--customers 2000] [--months 3] [--sample 150]

Bills so many customers for so many months, tells of it, and looks at the growth of each table with
pg_total_relation_size (rows, indexes and what lies aside). Then `--sample` of the invoices get
their PDF and are paid by card, which is looked at apart. docs/growing.md computes with it.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402
from billing_run import DAY, Server, start  # noqa: E402

from devstack.places import temporary_home  # noqa: E402
from devstack.processes import Processes  # noqa: E402

TABLES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
Sizes = dict[str, tuple[int, int]]  # bytes and rows of each table


def main() -> None:
    options = arguments()
    with temporary_home() as home, Processes() as processes:
        server = start(home, processes)
        name = server.template(options.customers)
        os.environ["REVAMPD_DATABASE_URL"] = server.url(name, "revampd_app")
        measure(server, name, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--sample", type=int, default=150)
    return parser.parse_args()


def measure(server: Server, name: str, options: argparse.Namespace) -> None:
    from django.db import connection
    from django.utils import timezone

    from billing.cycle import bill_due
    from billing.filing import file
    from billing.models import Invoice
    from notifications.draining import drain_events

    connection.settings_dict["NAME"] = name
    with growth(server, name, "an invoice, and that people are told of it") as each:
        for month in range(options.months):
            each(bill_due(date(2027, 1 + month, DAY.day), at=timezone.now()))
        drain_events()
    with growth(server, name, "its PDF") as each:
        for invoice in Invoice.objects.select_related("connection__provider")[: options.sample]:
            each(file(invoice))
    with growth(
        server, name, "its payment by card (the tables of the sandbox are a gateway's)"
    ) as each:
        each(pay(options.sample))
        drain_events()


def pay(count: int) -> int:
    """Pay `count` invoices of as many customers; the cards are there before."""
    from django.utils import timezone

    from billing.collecting import collect_due
    from billing.models import Payment
    from connections.models import Connection, User
    from tests.billing.cards import add_card

    now, owner = timezone.now(), User.objects.get(email="owner@example.com")
    for connection in Connection.objects.select_related("customer")[:count]:
        add_card(connection, by=owner, at=now)
    collect_due(at=now)
    return Payment.objects.count()


@contextmanager
def growth(server: Server, name: str, what: str) -> Iterator[object]:
    """Print what the tables grew by inside the block, divided by what it was told of."""
    made: list[int] = []
    before = sizes(server, name)
    yield lambda count: made.append(int(count))
    after, pieces = sizes(server, name), sum(made)
    print(f"\n{what}: {pieces:,} of them\n\n| table | rows each | bytes each |\n|---|---|---|")
    rest, total = 0.0, 0.0
    for table, size in sorted(grown(before, after).items(), key=lambda one: -one[1][0]):
        bytes_, rows = size[0] / pieces, size[1] / pieces
        total += bytes_
        if bytes_ < 20:
            rest += bytes_
            continue
        print(f"| {table} | {rows:.2f} | {bytes_:,.0f} |")
    print(f"| others | | {rest:,.0f} |\n| **all** | | **{total:,.0f}** |", flush=True)


def grown(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> Sizes:
    return {
        table: (size - before[table][0], rows - before[table][1])
        for table, (size, rows) in after.items()
        if size > before[table][0]
    }


def sizes(server: Server, name: str) -> Sizes:
    with psycopg.connect(server.url(name), autocommit=True) as session:
        session.execute("VACUUM")
        found = session.execute(TABLES).fetchall()
        counted = {
            table: session.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]  # noqa: S608
            for table, _ in found
        }
    return {table: (size, counted[table]) for table, size in found}


if __name__ == "__main__":
    main()
