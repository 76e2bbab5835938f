"""What a search costs a Partner with 5,000 Sub-Orgs and 100,000 invoices.

    .venv/bin/python bench/search.py [--sub-orgs 5000] [--invoices 20] [--explain]

Starts its own PostgreSQL and Valkey, fills a database, and asks page and palette for texts of every
kind, as the owner of one of two Partners of that size. CPU is that of this process and its database
process, the mean of several; Linux only.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from devstack.places import temporary_home  # noqa: E402
from devstack.postgres import OWNER, SUPERUSER, Postgres  # noqa: E402
from devstack.processes import Processes  # noqa: E402
from devstack.valkey import Valkey  # noqa: E402

DAY = date(2026, 12, 10)
TEXTS = (
    *("", "c", "clinic", "clinic 123", "clin 12", "INV-4711", "149", "$74.00", "$7777.77", "12"),
    *("growth", "R-000001", "owner 17", "person", "wallet clinic 42", "nobody at all"),
)
TIMES = 15
TICK = os.sysconf("SC_CLK_TCK")

# The crowd's customers all buy from one Partner here; who they are stays the same.
MORE = """
SET session_replication_role = replica;
UPDATE connections_membership SET organization_id = md5('provider0')::uuid
    WHERE id = (SELECT min(id) FROM connections_membership);
DELETE FROM connections_membership WHERE user_id = (SELECT id FROM connections_user
    WHERE email = 'owner@example.com') AND organization_id <> md5('provider0')::uuid;
INSERT INTO billing_invoice (id, connection_id, provider_id, number, state, kind, currency, total,
    credited, paid, held, corrected, period_start, period_end, issue_date, due_date, issued_at,
    attempts, is_stuck, provider_details, customer_details)
SELECT gen_random_uuid(), c.id, c.provider_id,
    row_number() OVER (PARTITION BY c.provider_id ORDER BY n, c.id), 'PAID', 'SUBSCRIPTION', 'USD',
    4900 + (hashtext(c.id::text) & 7) * 2500 + n * 250, 0, 4900 + (hashtext(c.id::text) & 7) * 2500
    + n * 250, 0, 0, date '2024-01-10' + n * 30, date '2024-02-09' + n * 30,
    date '2024-01-10' + n * 30, date '2024-01-24' + n * 30, date '2024-01-10' + n * 30, 0, false,
    jsonb_build_object('name', 'Agency 0', 'address', '1 Market Street', 'email', 'a@b.test',
        'tax_number', ''),
    jsonb_build_object('name', o.name, 'address', '1 Harbor Road', 'email', 'a@b.test',
        'tax_number', '')
FROM connections_connection c JOIN connections_organization o ON o.id = c.customer_id,
    generate_series(1, %(invoices)s) n;
SET session_replication_role = origin;
"""


def main() -> None:
    options = arguments()
    with temporary_home() as home, Processes() as processes:
        postgres, valkey = Postgres(home, processes), Valkey(home, processes)
        for server in (postgres, valkey):
            server.start()
            server.wait()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "revampd.settings",
            "REVAMPD_MODE": "test",
            "REVAMPD_DATABASE_URL": postgres.url(),
            "REVAMPD_DATABASE_OWNER_URL": postgres.url(OWNER),
            "REVAMPD_REDIS_URL": valkey.url(),
            "REVAMPD_LOCAL_DIR": str(home),
        }
        processes.run("migrate", [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"])

        import django

        django.setup()
        fill(postgres, options)
        measure(options)
        from django.db import connections

        connections.close_all()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sub-orgs", type=int, default=5_000)
    parser.add_argument("--invoices", type=int, default=20, help="of each Sub-Org")
    parser.add_argument("--explain", action="store_true", help="print the plans, too")
    parser.add_argument("--sql", default="", help="run before measuring: an index to try")
    parser.add_argument("--texts", nargs="+", default=TEXTS)
    return parser.parse_args()


def fill(postgres: Any, options: argparse.Namespace) -> None:
    import psycopg

    from tests import crowd

    values = {"invoices": options.invoices}
    with psycopg.connect(postgres.url(OWNER)) as session:
        share, cursor = options.sub_orgs, psycopg.ClientCursor(session)
        crowd.seed(cursor, 2 * share, DAY, share)
        cursor.execute(crowd.OWNERS, {"count": share})
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as session:
        psycopg.ClientCursor(session).execute(MORE, values)
        if options.sql:
            session.execute(options.sql)
        session.execute("VACUUM (ANALYZE)")


def measure(options: argparse.Namespace) -> None:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from connections.models import User

    browser = Client()
    browser.force_login(
        User.objects.get(email="owner@example.com"), settings.AUTHENTICATION_BACKENDS[0]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    print("| what | text | CPU ms | of it database | queries | kB |\n|---|---|---|---|---|---|")
    for path in ("/search/palette/", "/search/"):
        for text in options.texts:
            browser.get(path, {"q": text})
            spent = [once(browser, path, text, backend) for _ in range(TIMES)]
            with CaptureQueriesContext(connection) as captured:
                answer = browser.get(path, {"q": text})
            here, there = (1000 * sum(column) / TIMES for column in zip(*spent, strict=True))
            cells = (path, text, f"{here + there:.1f}", f"{there:.1f}", len(captured))
            print(f"| {' | '.join(map(str, cells))} | {len(answer.content) / 1000:.0f} |")
            if options.explain and path == "/search/palette/":
                explain([query["sql"] for query in captured])


def once(browser: Any, path: str, text: str, backend: int) -> tuple[float, float]:
    """Seconds of CPU of one request: here, and in the database's process."""
    here, there = sum(os.times()[:2]), database_cpu(backend)
    browser.get(path, {"q": text})
    return sum(os.times()[:2]) - here, database_cpu(backend) - there


def database_cpu(backend: int) -> float:
    # In nanoseconds, where the kernel counts them; ticks of 10 ms are too coarse.
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def explain(statements: list[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for sql in statements:
            if "found" in sql or "connections_connection" in sql:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql)
                print("\n".join(line for (line,) in cursor.fetchall()))
                print()


if __name__ == "__main__":
    main()
