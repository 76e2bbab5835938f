"""One demo at a time in a folder."""

import fcntl
from pathlib import Path
from typing import IO

from devstack import interruption
from devstack.guard import alive
from devstack.terminal import Failed, say


class FolderLock:
    """An exclusive lock that ends with the last process holding it: supervisor or guard.

    The guard holds it too, so that after a kill -9 of the supervisor the next demo begins only when
    everything of the last one has been stopped.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "lock").open("a+")

    def fileno(self) -> int:
        return self._file.fileno()

    def acquire(self) -> None:
        """Take the lock, or raise Failed saying where the demo runs already."""
        told = False
        while not self._try():
            pid, where = self._holder()
            if pid and alive(pid):
                raise Failed(f"Revampd already runs in this folder: {where or 'it is starting'}")
            if not told:
                say("Waiting for the last run's processes to end ...")
                told = True
            interruption.pause(0.2)

    def write(self, pid: int, where: str = "") -> None:
        """Say who holds the lock and, once known, at which address."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{pid}\n{where}\n")
        self._file.flush()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _holder(self) -> tuple[int, str]:
        self._file.seek(0)
        lines = [*self._file.read().splitlines(), "", ""]
        return int(lines[0]) if lines[0].isdecimal() else 0, lines[1]
