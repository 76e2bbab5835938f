"""One demo at a time in a folder."""

import fcntl
import os
from pathlib import Path
from typing import Self

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
        self._path = folder / "lock"

    def __enter__(self) -> Self:
        """Take the lock, or raise Failed saying where the demo runs already."""
        self._file = self._path.open("a+")
        try:
            self._acquire()
        except BaseException:
            self._file.close()
            raise
        self.publish("")
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        return self._file.fileno()

    def publish(self, where: str) -> None:
        """Tell whoever comes second who holds the lock, and at which address."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n{where}\n")
        self._file.flush()

    def _acquire(self) -> None:
        told = False
        while not self._try():
            pid, where = self._holder()
            if pid and alive(pid):
                raise Failed(f"Revampd already runs in this folder: {where or 'it is starting'}")
            if not told:
                say("Waiting for the last run's processes to end ...")
                told = True
            interruption.pause(0.2)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _holder(self) -> tuple[int, str]:
        lines = [*self._path.read_text().splitlines(), "", ""]
        return int(lines[0]) if lines[0].isdecimal() else 0, lines[1]
