"""One demo at a time in a folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.lock import FolderLock
from devstack.places import ROOT
from devstack.terminal import Failed

URL = "http://127.0.0.1:8003"
HOLD = """
import sys, time
from pathlib import Path
from devstack.lock import FolderLock
with FolderLock(Path(sys.argv[1])) as lock:
    lock.publish(sys.argv[2])
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@contextmanager
def held_elsewhere(folder: Path, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the lock."""
    command = [sys.executable, "-c", HOLD, str(folder), URL, str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_a_second_demo_is_told_where_the_first_runs(tmp_path: Path) -> None:
    with (
        held_elsewhere(tmp_path),
        pytest.raises(Failed, match=f"already runs in this folder: {URL}"),
        FolderLock(tmp_path),
    ):
        pass


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as holder:
        holder.kill()
        holder.wait()

        with FolderLock(tmp_path):
            pass


def test_the_next_demo_waits_while_the_guard_of_a_killed_one_cleans_up(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, seconds=0.5):
        # As if the supervisor that wrote this were gone and only its guard held the lock.
        (tmp_path / "lock").write_text(f"{dead_pid()}\n{URL}\n")
        started = time.monotonic()

        with FolderLock(tmp_path):
            assert time.monotonic() - started > 0.1


def test_the_holder_is_written_anew_each_time(tmp_path: Path) -> None:
    with FolderLock(tmp_path) as lock:
        lock.publish(URL)
    with FolderLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n\n"
