"""Earnings and payouts beside the floor: all that a week brought in, for all Partners at once.

    .venv/bin/python bench/payout_run.py [--sizes 10000 100000] [--pairs 5]

As billing_run.py: servers of its own, a fresh copy for every contender, in turn, and a table. A
hundred Sub-Orgs a Partner, an invoice each, paid by card; nothing was collected before. That memory
is flat shows in the peaks of two sizes, side by side at the end.
"""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import billing_run
import payout_floor
import psycopg
from billing_run import DAY, MANAGE, OWNER, Server, measure, start
from measuring import Measured, table

from devstack.places import temporary_home
from devstack.processes import Processes

SHARE = 100  # Sub-Orgs of a Partner
CLOSED = DAY + timedelta(days=7)

# What must be the same in the books of both.
BOOKS = """
SELECT (SELECT md5(string_agg(concat_ws('|', account_id, connection_id, partner_id, payment_id,
            authority_id, fee_rate, gross, fee, affiliate, net, earned_at, earned_on,
            payout_id IS NULL), ',' ORDER BY payment_id)) FROM payouts_earning),
    (SELECT md5(string_agg(concat_ws('|', connection_id, period_start, period_end, closed_at, state,
            gross, fee, affiliate, carried, amount), ',' ORDER BY connection_id))
        FROM payouts_payout),
    (SELECT md5(string_agg(concat_ws('|', connection_id, kind, debit, credit, amount, at), ','
            ORDER BY connection_id, kind, amount, at)) FROM billing_transfer
        WHERE kind IN ('EARNED', 'FEE_EARNED')),
    (SELECT md5(string_agg(facts #>> '{}' || at, ',' ORDER BY connection_id))
        FROM connections_event WHERE code = 'payout.available'),
    (SELECT count(*) FROM connections_outbox)
"""


class Collected(Server):
    """A server whose databases are full of invoices that were paid."""

    def template(self, size: int) -> str:
        if size in self.seeded:
            return self.seeded[size]
        self.seeded[size] = name = f"paid_{size}"
        self._copy("revampd", name)
        from tests import crowd

        crowd.CUSTOMERS_OF_A_PROVIDER = SHARE
        noon = datetime.combine(DAY, time(12), UTC)
        values = {"count": size, "share": SHARE, "day": DAY, "at": noon - timedelta(20)}
        with self.session(name, OWNER) as session, session.transaction():
            crowd.seed(psycopg.ClientCursor(session), size, DAY)
            psycopg.ClientCursor(session).execute(payout_floor.ACCOUNTS, values)
        env = os.environ | {"REVAMPD_DATABASE_URL": self.url(name, "revampd_app")}
        env["REVAMPD_MODE"] = "demo"  # only a demo bills a day to come
        bill = [*MANAGE, "bill_due", "--on", DAY.isoformat()]
        subprocess.run(bill, env=env, check=True, capture_output=True)  # noqa: S603
        with self.session(name, OWNER) as session, session.transaction():
            cursor = psycopg.ClientCursor(session)
            cursor.execute(crowd.IDS + payout_floor.PAYMENTS, {**values, "noon": noon})
        with self.session(name) as session:
            session.execute("VACUUM (ANALYZE, FREEZE)")
        return name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pairs", type=int, default=5, help="rounds; medians are of these")
    options = parser.parse_args()
    billing_run.CONTENDER = [sys.executable, str(Path(__file__).parent / "payout_contenders.py")]
    billing_run.DAY = CLOSED
    with temporary_home() as home, Processes() as processes:
        started = start(home, processes)
        server = Collected(started.postgres, started.env)
        peaks = {size: contest(server, options.pairs, size) for size in options.sizes}
    print("\nThe most memory that the tasks took:")
    for size, peak in peaks.items():
        print(f"{peak / 1024:.1f} MiB for {size:,} invoices", flush=True)


def contest(server: Collected, pairs: int, size: int) -> int:
    """Prints how they compare; returns the peak of the tasks, in KiB above what they had idle."""
    results: dict[str, list[Measured]] = {"floor": [], "tasks": []}
    books: Any = None
    for _ in range(pairs):
        for name, measured in results.items():
            measured.append(measure(server, name, size))
            with server.session("contest") as session:
                written = session.execute(BOOKS).fetchone()
            if (books := books or written) != written:
                sys.exit(f"{name} wrote other books: {written} instead of {books}")
    print(f"\n{size:,} invoices of {size // SHARE:,} Partners; books the same for both\n")
    print(table(results), flush=True)
    return max(measured.memory for measured in results["tasks"])


if __name__ == "__main__":
    main()
