"""Whatever happens to the supervisor, nothing it started stays behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from devstack import interruption
from devstack.guard import alive, wait_until
from devstack.places import ROOT
from devstack.processes import Processes
from devstack.terminal import Failed

# Says that it runs, and its name when it is asked to stop; may refuse to stop.
CHILD = """
import signal, sys, time
name, journal, obeys = sys.argv[1], sys.argv[2], sys.argv[3] == "obeys"
def note(*_):
    with open(journal, "a") as file:
        file.write(name + " ")
    if obeys:
        sys.exit()
signal.signal(signal.SIGTERM, note)
signal.signal(signal.SIGQUIT, note)
with open(journal + "." + name, "w"):
    pass
time.sleep(60)
"""

# A supervisor like the demo's: two children, then waiting for the end.
SUPERVISOR = """
import sys
from pathlib import Path
from devstack import interruption
from devstack.processes import Processes
from tests.devstack.test_processes import start_child
interruption.watch()
journal = Path(sys.argv[1])
try:
    with Processes() as processes:
        pids = [start_child(processes, name, journal).popen.pid for name in ("first", "second")]
        print(*pids, flush=True)
        processes.wait_until(lambda: False, "the end", float("inf"))
except interruption.Interrupted as interrupted:
    print(interrupted, flush=True)
"""


def start_child(processes, name, journal, *, obeys=True, patience=10.0):
    """Start a child and wait until it is ready for a signal."""
    command = [sys.executable, "-S", "-c", CHILD, name, str(journal), "obeys" if obeys else "no"]
    child = processes.start(name, command, patience=patience)
    ready = Path(f"{journal}.{name}")
    processes.wait_until(ready.exists, name, 20)
    return child


def group_exists(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@dataclass(frozen=True)
class Supervisor:
    """A supervisor in a process of its own, and what it has started."""

    process: subprocess.Popen[str]
    output: IO[str]
    children: list[int]

    def children_end(self) -> bool:
        return wait_until(lambda: not any(map(alive, self.children)), 10)


def _as_from_a_terminal() -> None:
    # Whoever runs the tests under nohup hands on that a hang-up is ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def supervisor(journal: Path) -> Iterator[Supervisor]:
    command = [sys.executable, "-c", SUPERVISOR, str(journal)]
    options: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=_as_from_a_terminal, **options) as process:
        assert process.stdout
        children = [int(pid) for pid in process.stdout.readline().split()]
        yield Supervisor(process, process.stdout, children)
        process.kill()


def test_they_stop_in_the_reverse_order_of_starting(journal):
    with Processes() as processes:
        for name in ("database", "worker", "web"):
            start_child(processes, name, journal)

    assert journal.read_text() == "web worker database "


def test_they_stop_when_something_fails_meanwhile(journal):
    children = []

    def start_and_fail():
        with Processes() as processes:
            children.append(start_child(processes, "web", journal))
            raise Failed("the migration")

    with pytest.raises(Failed, match="the migration"):
        start_and_fail()

    assert not children[0].running


def test_one_that_refuses_to_stop_is_killed(journal):
    with Processes() as processes:
        child = start_child(processes, "web", journal, obeys=False, patience=0.2)

    assert journal.read_text() == "web web "  # asked politely, then at once
    assert child.popen.returncode == -signal.SIGKILL


def test_what_a_dead_one_left_in_its_group_is_killed_too():
    with Processes() as processes:
        shell = processes.start("shell", ["sh", "-c", "sleep 60 & exit"])
        shell.popen.wait()

    assert wait_until(lambda: not group_exists(shell.popen.pid), 10)


def test_one_that_ends_by_itself_is_named():
    with Processes() as processes:
        processes.start("worker", [sys.executable, "-S", "-c", "raise SystemExit(3)"])

        with pytest.raises(Failed, match=r"worker stopped by itself \(exit code 3\)"):
            processes.wait_until(lambda: False, "the end", 10)


def test_waiting_ends_with_the_name_of_what_was_not_ready():
    with Processes() as processes, pytest.raises(Failed, match="the worker was not ready"):
        processes.wait_until(lambda: False, "the worker", 0.1)


def test_a_program_that_ran_to_its_end_is_forgotten():
    with Processes() as processes:
        assert processes.run("step", [sys.executable, "-S", "-c", "raise SystemExit(4)"]) == 4

        processes.check()


def test_the_loss_of_the_guard_is_noticed():
    with Processes() as processes:
        processes._guard.kill()

        with pytest.raises(Failed, match="guard"):
            processes.wait_until(lambda: False, "the end", 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_supervisor_stops_all(supervisor, journal, number):
    supervisor.process.send_signal(number)

    assert supervisor.output.read().split()[-1] == number.name
    assert supervisor.children_end()
    assert journal.read_text() == "second first "


def test_a_second_signal_does_not_break_the_stopping(supervisor, journal):
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.process.send_signal(signal.SIGTERM)

    assert supervisor.process.wait(20) == 0
    assert supervisor.children_end()
    assert journal.read_text() == "second first "


def test_the_guard_stops_all_when_the_supervisor_is_killed(supervisor, journal):
    supervisor.process.kill()

    assert supervisor.children_end()
    assert journal.read_text() == "second first "


def test_a_signal_ends_a_wait(monkeypatch):
    monkeypatch.setattr(interruption, "_received", [signal.SIGTERM])

    with pytest.raises(interruption.Interrupted, match="SIGTERM"):
        interruption.pause(0)
