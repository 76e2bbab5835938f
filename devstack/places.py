"""The folders that ./run.py uses, and how to be rid of them."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.terminal import Failed

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"

# A socket's path ends up in a C structure of 104 bytes on macOS, 108 on Linux; 20 are for its name.
LONGEST_SOCKET_FOLDER = 80


def shelter(root: Path = ROOT) -> Path:
    """Name a place for what PostgreSQL's account must reach when the checkout is closed to it."""
    return Path("/var/tmp") / f"revampd-{_digest(root)}"  # noqa: S108 - its owner is checked


def open_shelter(name: str = "") -> Path:
    """Make the shelter, or a folder in it: ours, and everybody may walk through."""
    folder = open_shelter() / name if name else shelter()
    folder.mkdir(exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise Failed(f"{folder} belongs to somebody else; remove it, or run as its owner")
    folder.chmod(0o755)
    return folder


def open_to_everybody(folder: Path) -> None:
    """Let everybody read what its owner may read; a strict umask would have closed it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def socket_folder(home: Path, name: str) -> Path:
    """Name a folder for a socket: in home or, where that path is unfit, in the temporary folder.

    Unfit is a path that is too long or holds characters that would need quoting in an address.
    """
    folder = home / name
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER and re.fullmatch(
        r"[\w./-]+", str(folder), re.ASCII
    ):
        return folder
    return Path(tempfile.gettempdir()) / f"revampd-{_digest(home)}-{name}"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Make a home for servers that live as long as a test run."""
    home = Path(tempfile.mkdtemp(prefix="revampd-test-"))
    home.chmod(0o755)  # PostgreSQL's account passes through; its own folders stay closed
    try:
        yield home
    finally:
        forget(home)


def forget(home: Path) -> None:
    """Remove a home with all that was put elsewhere on its behalf."""
    sheltered = shelter() / home.name
    for place in (home, sheltered):
        for name in ("pg", "valkey"):
            _remove(socket_folder(place, name))
    for place in (sheltered, home):
        _remove(place)


def forget_everything() -> None:
    """Remove the demo's data and the sheltered copies of programs."""
    forget(LOCAL)
    _remove(shelter())


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
