"""Several beats: one sends, the others wait, and take over when it is killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from devstack.places import ROOT
from revampd.beat import KEY, holds

from .servers import Broker, database_url, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


class Beat:
    """One beat, and what it says."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        folder.mkdir()
        self._said = folder / "said.txt"
        env = {"REVAMPD_DATABASE_URL": database_url(), "REVAMPD_REDIS_URL": broker.url}
        options = ["--schedule", str(folder / "plan"), "--pidfile="]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "revampd", "beat", *options],
                cwd=ROOT,
                env=os.environ | env,
                stdout=said,
                stderr=said,
            )

    @property
    def sends(self) -> bool:
        return "This beat sends" in self._said.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def beats(committed, home: Path, broker: Broker) -> Iterator[list[Beat]]:
    beats = [Beat(home / str(number), broker) for number in range(3)]
    yield beats
    for beat in beats:
        beat.kill()


def sending(beats: list[Beat]) -> list[Beat]:
    return [beat for beat in beats if beat.sends]


def holders() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE objid = %s AND granted", [KEY])
        return int(cursor.fetchone()[0])


class TestOneBeat:
    def test_sends_and_the_next_one_takes_over_when_it_is_killed(self, beats, broker):
        left = list(beats)
        for _ in beats:
            eventually(lambda: len(sending(left)) == 1, 120)
            assert holders() == 1
            before = broker.waiting("celery")
            eventually(lambda: broker.waiting("celery") > before, 60)  # noqa: B023 - called at once
            [the_one] = sending(left)
            the_one.kill()
            left.remove(the_one)
        eventually(lambda: holders() == 0)

    def test_may_begin_again_once_its_session_was_ended(self, committed):
        assert holds()
        assert holds()
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_locks WHERE objid = %s", [KEY])
            [(pid,)] = cursor.fetchall()
        assert pid == connections["default"].connection.info.backend_pid
        connections["default"].connection.close()

        assert not holds()
        assert holds()
