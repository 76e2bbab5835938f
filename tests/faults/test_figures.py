"""What Prometheus reads of running processes, after real acts: web, worker and beat, over HTTP."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from billing.collecting import reconcile
from billing.cycle import bill_due
from billing.models import BillingRun, Payment
from connections.models import Outbox
from devstack.places import ROOT
from notifications.models import Delivery
from tests.billing.acts import agree
from tests.billing.payments.acts import add_card

from .servers import Broker, database_url, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


class Watched:
    """A process of a site that tells its figures at an address of its own."""

    def __init__(
        self, home: Path, broker: Broker, *command: str, mail: str = "dummymail://"
    ) -> None:
        self._port = free_port()
        folder = home / f"figures-{self._port}"
        folder.mkdir()
        env = {
            "REVAMPD_DATABASE_URL": database_url(),
            "REVAMPD_REDIS_URL": broker.url,
            "REVAMPD_EMAIL_URL": mail,
            "REVAMPD_METRICS_ADDRESS": f"127.0.0.1:{self._port}",
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=os.environ | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: listens(self._port), 120)

    def tells(self, name: str, **labels: str) -> float | None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics") as answer:
            told = answer.read().decode()
        for family in text_string_to_metric_families(told):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class TestFigures:
    def test_are_those_of_what_was_done(self, committed_cast, home, broker, ending):
        now = timezone.now()
        add_card(committed_cast.northwind_bluebird, committed_cast.ben, at=now)
        agree(committed_cast, at=now - timedelta(days=32))
        bill_due(at=now)
        run = BillingRun.objects.get()
        waiting = Outbox.objects.count()
        assert run.issued == 1
        assert waiting > 5

        def start(*command: str) -> Watched:
            started = Watched(home, broker, *command)
            ending.callback(started.end)
            return started

        beat = start("celery", "-A", "revampd", "beat", f"--schedule={home}/plan", "--pidfile=")
        assert beat.tells("revampd_outbox_waiting") == waiting
        assert beat.tells("revampd_outbox_age_seconds") > 0
        assert beat.tells("revampd_billing_run_issued") == run.issued
        assert beat.tells("revampd_billing_run_done") == run.done == 1
        assert beat.tells("revampd_payments_unsettled") == 0
        assert beat.tells("revampd_mails_due") == 0
        ending.close()

        worker = Watched(home, broker, "celery", "-A", "revampd", "worker", "-c1", "-B",
                         f"--schedule={home}/other")  # fmt: skip
        ending.callback(worker.end)
        eventually(lambda: not Outbox.objects.exists(), 120)
        eventually(lambda: Payment.objects.filter(state="SUCCEEDED").count() == 2, 120)
        done = {"task": "notifications.drain_events", "outcome": "success"}
        eventually(lambda: worker.tells("revampd_tasks_total", **done), 60)
        told = {"billing_request.approved": 1.0, "invoice.issued": 2.0}
        eventually(
            lambda: (
                {code: worker.tells("revampd_events_total", code=code) for code in told} == told
            ),
            60,
        )

    def test_tell_of_payments_and_mails_that_do_not_come_to_an_end(
        self, committed_cast, home, broker, ending
    ):
        now = timezone.now()
        add_card(committed_cast.northwind_bluebird, committed_cast.ben, "answer_lost", at=now)
        agree(committed_cast, at=now - timedelta(days=32))
        bill_due(at=now)

        nobody = f"smtp://127.0.0.1:{free_port()}"
        worker = Watched(home, broker, "celery", "-A", "revampd", "worker", "-c1", mail=nobody)
        ending.callback(worker.end)
        beat = Watched(home, broker, "celery", "-A", "revampd", "beat", f"--schedule={home}/plan",
                       "--pidfile=")  # fmt: skip
        ending.callback(beat.end)
        eventually(lambda: Payment.objects.unsettled().count() == 2, 120)
        assert beat.tells("revampd_payments_unsettled") == 2
        assert beat.tells("revampd_payments_age_seconds") > 0

        eventually(lambda: not Outbox.objects.exists(), 120)
        eventually(lambda: Delivery.objects.exclude(reason="").exists(), 60)
        eventually(
            lambda: beat.tells("revampd_mails_due") == Delivery.objects.due(timezone.now()).count()
        )
        assert beat.tells("revampd_mails_due") > 1
        assert beat.tells("revampd_mails_age_seconds") > 0
        assert not Delivery.objects.filter(state="SENT").exists()

        reconcile(at=timezone.now() + timedelta(minutes=2))
        assert beat.tells("revampd_payments_unsettled") == 0

    def test_count_the_answers_of_the_web(self, committed, home, broker, ending):
        port = free_port()
        web = Watched(home, broker, "gunicorn", "revampd.wsgi", f"--bind=127.0.0.1:{port}")
        ending.callback(web.end)
        eventually(lambda: listens(port), 60)

        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
                assert answer.status == 200

        labels = {"method": "GET", "route": "/healthz", "status": "200"}
        assert web.tells("revampd_requests_total", **labels) == 3
