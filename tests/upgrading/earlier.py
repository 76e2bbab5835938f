"""The code of earlier commits, unpacked beside this one."""

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from devstack.places import ROOT

from .rules import BASELINE

MIGRATIONS = "*/migrations/*.py"
LAST = "HEAD~1"


@dataclass(frozen=True)
class Earlier:
    """The code as it was at a commit, and the migrations that have come since."""

    code: Path
    migrations: list[Path]

    @property
    def keep_the_rule(self) -> bool:
        """Whether all of them are since the first release: then the old code still works."""
        return all(path.stem > BASELINE[path.parts[0]] for path in self.migrations)


def before_migrations(folder: Path, environment: dict[str, str]) -> Earlier | None:
    """Of the last commits before a migration, the first that this one continues."""
    for commit in _git("log", "-20", "--format=%H~1", "--", MIGRATIONS).split():
        if _changed_since(commit, "DMR"):
            continue
        found = unpacked(commit, folder / commit[:9])
        if found and _is_whole(found.code, environment):
            return found
    return None


def unpacked(commit: str, code: Path) -> Earlier | None:
    """The code of a commit in a folder of its own; None if there is no such commit here."""
    archive = code.with_suffix(".tar")
    _git("archive", commit, f"--output={archive}")
    if not archive.exists():
        return None
    with tarfile.open(archive) as files:
        files.extractall(code, filter="data")
    return Earlier(code, _changed_since(commit, "A"))


def _git(*words: str) -> str:
    """What it says, nothing if it fails."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _changed_since(commit: str, how: str) -> list[Path]:
    """The migrations that were added, deleted, modified or renamed."""
    named = _git("diff", "--name-only", f"--diff-filter={how}", commit, "HEAD", "--", MIGRATIONS)
    return [Path(line) for line in named.split()]


def _is_whole(code: Path, environment: dict[str, str]) -> bool:
    """While branches were joined, a commit held half of what belongs together."""
    command = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    known = environment | {"PYTHONPATH": str(code)}
    return subprocess.run(command, cwd=code, env=known, capture_output=True).returncode == 0
