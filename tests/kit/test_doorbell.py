"""The doorbell: one ring a transaction, after commit, and never a reason to fail."""

import logging

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from revampd.kit.doorbell import ring_on_commit


@pytest.fixture
def rings(monkeypatch) -> list[str]:
    """The tasks that were rung for."""
    heard: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **_options: heard.append(task))
    return heard


class TestRingOnCommit:
    def test_rings_once_a_transaction(self, db, rings, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(5):
                ring_on_commit("notifications.drain_events")
            assert rings == []

        assert rings == ["notifications.drain_events"]

    def test_rings_for_each_task(self, db, rings, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            for task in ("one", "two", "one", "two"):
                ring_on_commit(task)

        assert rings == ["one", "two"]

    def test_is_silent_after_a_rollback(self, committed, rings):
        with pytest.raises(RuntimeError), transaction.atomic():
            ring_and_fail()

        assert rings == []

    def test_rings_again_for_what_comes_after_a_savepoint_that_failed(self, committed, rings):
        with transaction.atomic():
            with pytest.raises(RuntimeError), transaction.atomic():
                ring_and_fail()
            ring_on_commit("one")

        assert rings == ["one"]

    def test_rings_in_every_transaction(self, committed, rings):
        for _ in range(2):
            with transaction.atomic():
                ring_on_commit("one")

        assert rings == ["one", "one"]

    def test_does_not_mind_a_dead_broker(self, committed, monkeypatch, caplog):
        def dead(task, **options):
            raise OperationalError("connection refused")

        monkeypatch.setattr(current_app, "send_task", dead)

        with caplog.at_level(logging.WARNING), transaction.atomic():
            ring_on_commit("notifications.drain_events")

        assert "notifications.drain_events waits for the next sweep" in caplog.text


def ring_and_fail() -> None:
    ring_on_commit("one")
    raise RuntimeError
