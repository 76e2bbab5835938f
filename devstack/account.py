"""The account PostgreSQL runs under: it refuses root, so root lends it a lesser one."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.terminal import Failed


@dataclass(frozen=True)
class Account:
    """A user and a group, by number."""

    uid: int
    gid: int

    @property
    def is_borrowed(self) -> bool:
        return self.uid != os.geteuid()

    @property
    def popen_options(self) -> dict[str, Any]:
        """What makes Popen start a process as this account."""
        if not self.is_borrowed:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_reach(self, path: Path) -> bool:
        """Tell whether this account can walk to a file or folder and read it."""
        path = path.resolve()
        walks = all(self._may(parent, stat.S_IXOTH) for parent in path.parents)
        return walks and self._may(path, stat.S_IROTH | stat.S_IXOTH)

    def _may(self, path: Path, wanted: int) -> bool:
        info = path.stat()
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid == self.gid else 0
        return info.st_mode >> shift & wanted == wanted

    def take(self, folder: Path) -> None:
        """Make a folder that is this account's alone; raise Failed if it is somebody else's."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (self.uid, os.geteuid()):
            raise Failed(f"{folder} belongs to somebody else; remove it, or run as its owner")
        if self.is_borrowed:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def database_account() -> Account:
    """Choose the account: ours or, for root, the first that exists of a few harmless ones."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in (os.environ.get("REVAMPD_DB_ACCOUNT"), "postgres", "nobody"):
        entry = _entry(name) if name else None
        if entry and entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise Failed(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run it "
        "as; name one in REVAMPD_DB_ACCOUNT"
    )


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
