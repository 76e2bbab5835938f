"""The main pages beside a floor page: CPU of a request, without a web server in between.

    .venv/bin/python bench/pages.py [--pages plan wallet] [--rounds 5] [--requests 60]
        [--customers 5000] [--months 25] [--profile]

Starts its own PostgreSQL and Valkey, fills one database for the product and one for the floor, and
lets every page take turns with the floor's. Ben has a hundred thousand notifications; the idle bell
is what each of his open pages asks for every ten seconds while nothing happens. Linux only: the CPU
of the database's process is read from /proc. Tests' mode: no cache is emptied, no page shortened,
but static files have plain names.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from devstack.places import temporary_home  # noqa: E402
from devstack.postgres import OWNER, SUPERUSER, Postgres  # noqa: E402
from devstack.processes import Processes  # noqa: E402
from devstack.valkey import Valkey  # noqa: E402

MANAGE = [sys.executable, str(ROOT / "manage.py")]
MAYA, BEN = "maya@example.com", "ben@example.com"
FLOOR = (MAYA, "/invoices/")

# By name: who looks, and the address.
PAGES = {
    "overview": (BEN, "/connections/{connection}/"),
    "overview, Partner's": (MAYA, "/connections/{connection}/"),
    "plan": (BEN, "/connections/{connection}/plan/"),
    "requests": (BEN, "/connections/{connection}/requests/"),
    "invoices": (BEN, "/connections/{connection}/invoices/"),
    "invoice": (BEN, "/connections/{connection}/invoices/{invoice}/"),
    "wallet": (BEN, "/connections/{connection}/wallet/"),
    "notifications": (BEN, "/notifications/"),
    "bell, idle": (BEN, "/notifications/bell/?version={bell}"),
    "connections": (MAYA, "/connections/"),
    "sub-orgs": (MAYA, "/organizations/{partner}/sub-orgs/"),
    "home": (BEN, "/organizations/{sub_org}/"),
    "home, Partner's": (MAYA, "/organizations/{partner}/"),
    "tier": (MAYA, "/connections/{revampd}/plan/"),
    "tier, choosing": (MAYA, "/connections/{revampd}/plan/tiers/{tier}/choice/"),
    "tier, cancelling": (MAYA, "/connections/{revampd}/plan/cancellation/"),
    "add-ons": (MAYA, "/connections/{revampd}/add-ons/"),
    "add-on, choosing": (MAYA, "/connections/{revampd}/add-ons/{offered}/choice/"),
    "tier's invoices": (MAYA, "/connections/{revampd}/invoices/"),
    "tier's wallet": (MAYA, "/connections/{revampd}/wallet/"),
    "search": (MAYA, "/search/?q=clinic+4711"),
}


class Site:
    """A process that measures the pages of one site."""

    def __init__(self, settings: str) -> None:
        paths = os.pathsep.join(map(str, (BENCH, ROOT)))
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(BENCH / "pages_contender.py")],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, act: str, page: tuple[str, str], requests: int) -> dict[str, Any]:
        who, path = page
        order = {"act": act, "who": who, "path": path, "requests": requests}
        said, told = self._process.stdout, self._process.stdin
        print(json.dumps(order), file=told, flush=True)
        if not (answer := said.readline()):
            sys.exit(f"{path} could not be measured")
        return json.loads(answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    options = arguments()
    with temporary_home() as home, Processes() as processes:
        places = fill(home, processes, options.customers, options.months)
        pages = {
            name: (who, path.format(**places))
            for name, (who, path) in PAGES.items()
            if name in options.pages
        }
        floor, product = Site("floor.settings"), Site("revampd.settings")
        if options.profile:
            for name, page in pages.items():
                print(name, product.ask("profile", page, options.requests)["text"])
        else:
            invoices = options.customers * options.months
            print(f"\n{options.customers:,} Sub-Orgs, {invoices:,} invoices\n")
            print(table(contest(floor, product, pages, options.rounds, options.requests)))
        floor.close()
        product.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", nargs="+", default=list(PAGES), choices=PAGES, metavar="PAGE")
    parser.add_argument("--rounds", type=int, default=5, help="medians are of these")
    parser.add_argument("--requests", type=int, default=60, help="of each page in a round")
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--months", type=int, default=25)
    parser.add_argument("--profile", action="store_true", help="where the pages' time goes, alone")
    return parser.parse_args()


def fill(home: Path, processes: Processes, customers: int, months: int) -> dict[str, Any]:
    """Start the servers, and fill both databases. Returns what stands in addresses."""
    postgres, valkey = Postgres(home, processes, durable=False), Valkey(home, processes)
    postgres.start()
    valkey.start()
    postgres.wait()
    valkey.wait()
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as session:
        session.execute(f"CREATE DATABASE floor OWNER {OWNER}")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "revampd.settings",
        "REVAMPD_MODE": "test",
        "REVAMPD_DATABASE_URL": postgres.url(),
        "REVAMPD_DATABASE_OWNER_URL": postgres.url(OWNER),
        "REVAMPD_REDIS_URL": valkey.url(),
        "REVAMPD_LOCAL_DIR": str(home),
        "REVAMPD_EMAIL_URL": "dummymail://",
        "FLOOR_DATABASE_URL": postgres.url(OWNER).replace("@/revampd?", "@/floor?"),
    }
    floor = [sys.executable, "-m", "floor.fill", str(customers), str(customers * months)]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "floor.settings"}
    if processes.run("floor", floor, cwd=BENCH, env=env):
        sys.exit("the floor could not be filled")
    processes.run("migrate", [*MANAGE, "migrate", "-v0"])

    import django

    django.setup()
    from pages_crowd import fill as fill_product

    with psycopg.connect(postgres.url(OWNER), autocommit=True) as session:
        return fill_product(session, customers, months)


Rounds = list[dict[str, Any]]


def contest(
    floor: Site, product: Site, pages: dict[str, tuple[str, str]], rounds: int, requests: int
) -> dict[str, tuple[Rounds, Rounds]]:
    """For each page its rounds, and those of the floor that came just before."""
    found: dict[str, tuple[Rounds, Rounds]] = {name: ([], []) for name in pages}
    for _ in range(rounds):
        for name, page in pages.items():
            mine, its = found[name]
            its.append(floor.ask("measure", FLOOR, requests))
            mine.append(product.ask("measure", page, requests))
    return found


def table(found: dict[str, tuple[Rounds, Rounds]]) -> str:
    head = (
        "page",
        "queries",
        "kB",
        "Python ms",
        "database ms",
        "CPU ratio",
        "wall ms",
        "wall ratio",
    )
    every = [one for _, its in found.values() for one in its]
    rows = [head, tuple("---" for _ in head), row("floor", every, every)]
    rows += [row(name, mine, its) for name, (mine, its) in found.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(name: str, mine: Rounds, its: Rounds) -> tuple[str, ...]:
    pairs = list(zip(mine, its, strict=True))
    return (
        name,
        str(mine[0]["queries"]),
        f"{mine[0]['size'] / 1000:.1f}",
        f"{median(one['python'] for one in mine):.1f}",
        f"{median(one['database'] for one in mine):.1f}",
        f"{median(cpu(one) / cpu(other) for one, other in pairs):.2f}",
        f"{median(one['wall'] for one in mine):.1f}",
        f"{median(one['wall'] / other['wall'] for one, other in pairs):.2f}",
    )


def cpu(measured: dict[str, Any]) -> float:
    return float(measured["python"] + measured["database"])


if __name__ == "__main__":
    main()
