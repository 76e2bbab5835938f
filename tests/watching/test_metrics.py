"""Figures: closed by default, counted across processes, and true."""

import os
import subprocess
import sys
import urllib.request
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily

from billing.models import BillingRun, BooksCheck
from connections.models import Outbox
from devstack.places import ROOT
from notifications.draining import drain_events
from revampd.figures import HELP, Figures, read
from revampd.kit.metrics import serve
from revampd.tasks import begin, end
from tests.billing.acts import agree


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class TestRequests:
    def test_are_counted_by_the_pattern_of_their_address(self, client, db):
        labels = {"method": "GET", "route": "/invitations/<str:token>/", "status": "404"}
        before = counted("revampd_requests_total", **labels)

        client.get("/invitations/nobody/")

        assert counted("revampd_requests_total", **labels) == before + 1

    def test_that_nobody_expects_make_no_new_rows(self, client, db):
        client.generic("BREW", "/some/where/")

        labels = {"method": "(other)", "route": "(none)", "status": "302"}
        known = {
            sample.labels["route"]
            for family in REGISTRY.collect()
            if family.name == "revampd_requests"
            for sample in family.samples
        }
        assert "/some/where/" not in known
        assert labels["route"] in known


class TestTasks:
    def test_are_counted_by_how_they_ended(self):
        class Task:
            name = "billing.run_cycle"

        before = counted("revampd_tasks_total", task="billing.run_cycle", outcome="success")
        begin(task_id="1")
        end(task_id="1", task=Task(), retval=3, state="SUCCESS")

        after = counted("revampd_tasks_total", task="billing.run_cycle", outcome="success")
        assert after == before + 1


class TestEvents:
    def test_are_counted_once_they_are_told(self, cast, django_capture_on_commit_callbacks):
        agree(cast, cast.setup, at=timezone.now())
        before = counted("revampd_events_total", code="billing_request.approved")

        with django_capture_on_commit_callbacks(execute=True):
            drain_events()

        assert counted("revampd_events_total", code="billing_request.approved") == before + 1


class TestFigures:
    def test_tell_what_waits_and_for_how_long(self, cast):
        agree(cast, cast.setup, at=timezone.now())

        figures = read(timezone.now() + timedelta(minutes=5))
        assert figures["revampd_outbox_waiting"] == Outbox.objects.count() > 0
        assert 300 <= figures["revampd_outbox_age_seconds"] < 400
        drain_events()
        figures = read(timezone.now() + timedelta(minutes=5))
        assert figures["revampd_outbox_waiting"] == figures["revampd_outbox_age_seconds"] == 0
        assert figures["revampd_mails_due"] > 0

    def test_tell_of_the_newest_run_and_the_books(self, cast):
        now = timezone.now()
        BillingRun.objects.create(started_at=now - timedelta(days=1), connections=9, done=9)
        BillingRun.objects.create(started_at=now, connections=5, done=2, issued=2, problem="x")
        BooksCheck.objects.create(checked_at=now, differences=["one", "two"])

        figures = read(now)
        assert figures["revampd_billing_run_connections"] == 5
        assert figures["revampd_billing_run_done"] == 2
        assert figures["revampd_billing_run_failed"] == 1
        assert figures["revampd_books_differences"] == 2
        assert set(figures) <= set(HELP)

    def test_ask_little(self, cast, django_assert_max_num_queries):
        with django_assert_max_num_queries(20):
            read(timezone.now())

    def test_say_so_if_the_database_does_not_answer(self, monkeypatch, db):
        monkeypatch.setattr("revampd.figures.read", _unreachable)
        monkeypatch.setattr(connection, "close", lambda: None)

        [family] = Figures().collect()
        assert (family.name, family.samples[0].value) == ("revampd_database_answers", 0)


def _unreachable(_now):
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


class TestServer:
    def test_answers_at_its_address_alone(self, monkeypatch):
        monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
        server = serve("127.0.0.1:0", _Constant())
        port = server.server_address[1]

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            told = answer.read().decode()
        server.shutdown()
        server.server_close()
        assert "revampd_constant 7.0" in told
        assert "revampd_beat_sends" in told

    def test_adds_up_what_several_processes_counted(self, tmp_path):
        """As web and worker do: each process writes a file, whoever started them reads all."""
        env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        count = (
            "import django; django.setup()\n"
            "from revampd.kit.metrics import TASKS\n"
            "TASKS.labels('some.task', 'success').inc(2)"
        )
        add_up = (
            "from prometheus_client import CollectorRegistry, generate_latest\n"
            "from prometheus_client.multiprocess import MultiProcessCollector\n"
            "registry = CollectorRegistry(); MultiProcessCollector(registry)\n"
            "print(generate_latest(registry).decode())"
        )
        for _ in range(2):
            subprocess.run([sys.executable, "-c", count], cwd=ROOT, env=env, check=True)
        told = subprocess.run(
            [sys.executable, "-c", add_up], cwd=ROOT, env=env, check=True, capture_output=True
        ).stdout.decode()

        assert 'revampd_tasks_total{outcome="success",task="some.task"} 4.0' in told

    @pytest.mark.parametrize("page", ["/metrics", "/metrics/"])
    def test_is_no_page_of_the_site(self, client, db, page):
        assert client.get(page).status_code in (302, 404)


class _Constant(Figures):
    def collect(self):
        yield GaugeMetricFamily("revampd_constant", "Seven", value=7)
