"""Lines for the person at the terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock


class Failed(Exception):
    """Something did not work; its text tells what, and the remedy where one is known."""


class _Terminal:
    """One line at a time, though several threads speak and a line may wait for its end."""

    def __init__(self) -> None:
        self._turn = RLock()
        self._open_line = False

    def line(self, text: str) -> None:
        with self._turn:
            self._print(f"\n{text}" if self._open_line else text)
            self._open_line = False

    def begin(self, text: str) -> None:
        with self._turn:
            self._print(text, end="")
            self._open_line = True

    def finish(self, begun: str, text: str) -> None:
        """End the line that was begun; repeat its beginning if others have spoken since."""
        with self._turn:
            self._print(text if self._open_line else begun + text)
            self._open_line = False

    def _print(self, text: str, end: str = "\n") -> None:
        # A terminal that was closed meanwhile is no reason to stop half-way.
        with suppress(OSError, ValueError):
            print(text, end=end, flush=True)


_terminal = _Terminal()
say = _terminal.line


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Tell what is being done and, when it is done, how many seconds it took."""
    begun = f"  {text + ' ':.<44} "
    started = time.monotonic()
    _terminal.begin(begun)
    try:
        yield
    except BaseException:
        _terminal.finish(begun, "not done")
        raise
    _terminal.finish(begun, f"{time.monotonic() - started:4.1f} s")
