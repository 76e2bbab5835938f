"""One contender of payout_run.py, in a process of its own: says that it is ready, waits, runs."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
import payout_floor  # noqa: E402
from measuring import cpu_of  # noqa: E402

django.setup()

from django.db import connection, transaction  # noqa: E402

from payouts.closing import close_weeks  # noqa: E402
from payouts.harvest import collect_earnings  # noqa: E402
from payouts.models import Earning  # noqa: E402


@transaction.atomic
def floor(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        payout_floor.pay_out(cursor, at)


def tasks(at: datetime) -> None:
    """What the workers do."""
    collect_earnings()
    close_weeks(at=at)


CONTENDERS: dict[str, Callable[[datetime], None]] = {"floor": floor, "tasks": tasks}


def main() -> None:
    pay_out, on = CONTENDERS[sys.argv[1]], date.fromisoformat(sys.argv[2])
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    print("ready", flush=True)
    sys.stdin.readline()
    wall, own, its = time.perf_counter(), time.process_time(), cpu_of(backend)
    pay_out(at)
    wall, own, its = (
        time.perf_counter() - wall,
        time.process_time() - own,
        cpu_of(backend) - its,
    )
    earnings = Earning.objects.count()
    print(json.dumps({"invoices": earnings, "wall": wall, "cpu": own + its}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
