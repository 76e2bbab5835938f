"""Being asked to stop: Ctrl-C, TERM, or a closed terminal.

The signal is only noted. An exception raised from inside the handler could hit between the start of
a process and the line that remembers it, and so leave that process behind.
"""

import signal
import time
from types import FrameType

_received: list[int] = []


class Interrupted(Exception):
    """The developer or the system asked to stop; its text names the signal."""


def watch() -> None:
    """Note INT, TERM and HUP from now on instead of dying from them."""
    signal.signal(signal.SIGINT, _note)
    signal.signal(signal.SIGTERM, _note)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, _note)


def _note(number: int, _frame: FrameType | None) -> None:
    _received.append(number)


def check() -> None:
    """Raise Interrupted if a signal has come. Every wait calls this."""
    if _received:
        raise Interrupted(signal.Signals(_received[0]).name)


def pause(seconds: float) -> None:
    """Sleep, then check."""
    time.sleep(seconds)
    check()
