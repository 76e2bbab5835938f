"""How long after an approval the Partner's notification is there, and how fast events drain.

    .venv/bin/python bench/notification_latency.py [--decisions 200] [--events 1000]

Starts its own PostgreSQL (with fsync), Valkey and Celery worker, and leaves nothing behind.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from devstack.places import temporary_home  # noqa: E402
from devstack.postgres import OWNER, Postgres  # noqa: E402
from devstack.processes import Processes  # noqa: E402
from devstack.valkey import Valkey  # noqa: E402

MANAGE = [sys.executable, str(ROOT / "manage.py")]
CELERY = [sys.executable, "-m", "celery", "-A", "revampd", "worker", "-l", "WARNING", "-c", "2"]


def main() -> None:
    options = arguments()
    with temporary_home() as home, Processes() as processes:
        os.environ |= environment(home, processes)
        processes.run("migrate", [*MANAGE, "migrate", "-v0"])
        ready = home / "ready"
        processes.start(
            "worker", CELERY, env=os.environ | {"REVAMPD_WORKER_READY_FILE": str(ready)}
        )
        processes.wait_until(ready.exists, "worker", 60)
        measure(options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--events", type=int, default=1000)
    return parser.parse_args()


def environment(home: Path, processes: Processes) -> dict[str, str]:
    postgres, valkey = Postgres(home, processes), Valkey(home, processes)
    postgres.start()
    valkey.start()
    postgres.wait()
    valkey.wait()
    return {
        "DJANGO_SETTINGS_MODULE": "revampd.settings",
        "REVAMPD_MODE": "test",
        "REVAMPD_DATABASE_URL": postgres.url(),
        "REVAMPD_DATABASE_OWNER_URL": postgres.url(OWNER),
        "REVAMPD_REDIS_URL": valkey.url(),
        "REVAMPD_LOCAL_DIR": str(home),
        "REVAMPD_EMAIL_URL": "dummymail://",
    }


def measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from tests.cast import assemble

    cast = assemble()
    settle()
    waits = sorted(latency(cast) for _ in range(options.decisions))
    cuts = quantiles(waits, n=100)
    print(f"approved to notified, {len(waits)} times: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")
    seconds, busy, told = drain(cast, options.events)
    print(
        f"{options.events} events, {told} notifications and their mails: {seconds:.2f} s"
        f" ({busy:.2f} s CPU here), {options.events / seconds:.0f} events/s,"
        f" {told / seconds:.0f} notifications/s"
    )


def settle() -> None:
    """Wait until the worker has told everything and sent all mail."""
    from connections.models import Outbox
    from notifications.models import Delivery

    while Outbox.objects.exists() or Delivery.objects.filter(state="QUEUED").exists():
        time.sleep(0.05)


def latency(cast) -> float:
    """Milliseconds from the commit of an approval to the row of Maya, who owns the Partner."""
    from django.utils import timezone

    from billing.models import BillingRequest
    from billing.models.proposals import Proposal
    from notifications.models import Notification

    connection, now = cast.northwind_bluebird, timezone.now()
    request = BillingRequest.propose(
        Proposal(cast.setup), connection=connection, by=cast.noah, at=now
    )
    settle()
    request.approve(by=cast.ben, seal=request.seal, at=now)
    begun = time.perf_counter()
    rows = Notification.objects.filter(recipient=cast.maya, event__subject_id=str(request.pk))
    while not rows.exists():
        time.sleep(0.001)
    return (time.perf_counter() - begun) * 1000


def drain(cast, count: int) -> tuple[float, float, int]:
    """Seconds and CPU seconds in which this process tells `count` events, and to how many."""
    from django.db import transaction

    from billing import events
    from notifications.draining import drain_events
    from notifications.models import Notification

    connection = cast.northwind_bluebird
    settle()
    with transaction.atomic():
        for _ in range(count):
            events.request_expired.record(
                connection, by=None, organization=connection.provider, connection=connection,
                item="Growth", customer="Bluebird Clinic",
            )  # fmt: skip
        transaction.get_connection().run_on_commit.clear()  # not the worker: this process drains
    before = Notification.objects.count()
    begun, busy = time.perf_counter(), time.process_time()
    drain_events()
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    return seconds, busy, Notification.objects.count() - before


if __name__ == "__main__":
    main()
