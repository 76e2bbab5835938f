"""The processes a command has started: watched, and stopped in reverse order whatever happens."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from devstack import guard, interruption
from devstack.terminal import Failed, say

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Child:
    """A running process, the leader of its own session: Ctrl-C reaches the supervisor alone."""

    name: str
    popen: subprocess.Popen[str]
    stop_signal: signal.Signals
    patience: float
    lasting: bool

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def stop(self) -> None:
        guard.stop(self.popen.pid, self.stop_signal, self.patience, lambda: self.running)
        self.popen.wait()


class Processes:
    """Starts processes and stops all of them on leaving; a guard does it if we get killed."""

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        """keep_open: file descriptors that stay open until the guard, too, has ended."""
        self._children: list[Child] = []
        self._keep_open = tuple(keep_open)

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(
            [sys.executable, "-S", guard.__file__],
            cwd="/",
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=self._keep_open,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for child in reversed(self._children):
            child.stop()
        with suppress(OSError):
            self._guard.communicate("bye\n")

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        stdout: int | IO[Any] | None = subprocess.PIPE,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience: float = 10,
        lasting: bool = True,
        **options: Any,
    ) -> Child:
        """Start a process that gets `patience` seconds to stop; options are those of Popen.

        Unless stdout says otherwise, its lines appear on the terminal under its name. One that is
        lasting should run until we stop; any other one needs `finish`.
        """
        defaults: dict[str, Any] = {"cwd": ROOT, "stdin": subprocess.DEVNULL}
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdout=stdout,
            stderr=subprocess.STDOUT if stdout else None,
            text=True,
            errors="replace",
            start_new_session=True,
            **defaults | options,
        )
        child = Child(name, popen, stop_signal, patience, lasting)
        self._children.append(child)
        self._tell_guard(f"start {popen.pid} {int(stop_signal)} {patience}")
        if popen.stdout:
            threading.Thread(target=_relay, args=(name, popen.stdout), daemon=True).start()
        return child

    def run(self, name: str, command: Sequence[str | Path], **options: Any) -> int:
        """Run a process to its end and return its exit code."""
        return self.finish(self.start(name, command, lasting=False, **options))

    def finish(self, child: Child) -> int:
        """Wait for the end of a process and return its exit code."""
        while child.running:
            interruption.pause(0.02)
        self._children.remove(child)
        self._tell_guard(f"end {child.popen.pid}")
        return child.popen.returncode

    def check(self) -> None:
        """Raise Failed if anything that should be running has ended."""
        for child in self._children:
            if child.lasting and not child.running:
                code = child.popen.returncode
                raise Failed(f"{child.name} stopped by itself (exit code {code})")
        if self._guard.poll() is not None:
            raise Failed("the guard process stopped")

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for a condition while everything runs; raise Failed after too many seconds."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"{what} was not ready after {seconds:.0f} s")
            interruption.pause(0.05)

    def _tell_guard(self, line: str) -> None:
        with suppress(OSError):  # a guard that is gone is found by check()
            print(line, file=self._guard.stdin, flush=True)


def _relay(name: str, lines: IO[str]) -> None:
    with lines:
        for line in filter(str.strip, lines):
            say(f"{name:>7} | {line.rstrip()}")


def last_lines(path: Path, count: int = 20) -> str:
    """Return the end of a log, for an error message."""
    if not path.exists():
        return "(there is no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
