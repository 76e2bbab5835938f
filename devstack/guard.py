"""Stop what the supervisor started when the supervisor itself vanishes (kill -9, crash).

Runs as a process of its own and reads lines from a pipe, in the order of starting:

    start PID SIGNAL SECONDS    a process to stop with SIGNAL, patiently for SECONDS
    end PID                     it has ended; its number may belong to another program now
    bye                         the supervisor has stopped everything itself

End of input without "bye" means that the supervisor is gone. The pipe works on every POSIX system,
unlike Linux's parent-death signal, and keeps the order: web and worker first, the database last.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

LAST_PATIENCE = 2.0  # seconds between "stop now" and the kill


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    processes: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        match line.split():
            case ["start", pid, number, seconds]:
                processes[int(pid)] = (int(number), float(seconds))
            case ["end", pid]:
                processes.pop(int(pid), None)
            case ["bye"]:
                return
    for pid, (stop_signal, patience) in reversed(processes.items()):
        stop(pid, stop_signal, patience, partial(alive, pid))


def stop(pid: int, stop_signal: int, patience: float, still_there: Callable[[], bool]) -> None:
    """Stop a process that leads its own group: politely, then at once, then by force.

    SIGQUIT is "at once" to PostgreSQL, gunicorn and Celery alike. The kill goes to the whole group,
    to reach helpers that a dead leader has left behind.
    """
    for number, seconds in ((stop_signal, patience), (signal.SIGQUIT, LAST_PATIENCE)):
        if still_there():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            wait_until(lambda: not still_there(), seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when the seconds are over and it does not hold."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """Tell whether a process that is not our child still runs."""
    with suppress(OSError):
        # A container's first process may never collect the dead: they look alive to kill().
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main()
