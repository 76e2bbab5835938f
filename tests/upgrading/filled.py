"""A database that the code of an earlier commit made and filled, each step a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import made

from .earlier import Earlier, before_migrations


def environment_of(database: str) -> dict[str, str]:
    """What leads a demo's process there, as both roles."""
    urls = {
        setting: re.sub(r"/revampd\?", f"/{database}?", os.environ[setting])
        for setting in ("REVAMPD_DATABASE_URL", "REVAMPD_DATABASE_OWNER_URL")
    }
    return os.environ | urls | {"REVAMPD_MODE": "demo", "PYTHONDONTWRITEBYTECODE": "1"}


def run(database: str, folder: Path, code: Path, *command: str) -> str:
    """What a Python process of that code prints. Fails unless all went well."""
    local = {"PYTHONPATH": str(code), "REVAMPD_LOCAL_DIR": str(folder / "local" / code.name)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=code,
        env=environment_of(database) | local,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Filled:
    """A database with the demo's data, and the commit whose code migrated and filled it."""

    database: str
    folder: Path
    base: Earlier

    def run(self, code: Path, *command: str) -> str:
        """What a Python process of that code prints. Fails unless all went well."""
        return run(self.database, self.folder, code, *command)


@contextmanager
def filled_earlier(database: str, folder: Path) -> Iterator[Filled | None]:
    """One by an earlier commit; None if there is none here."""
    with made(database):
        base = before_migrations(folder, environment_of(database))
        filled = base and Filled(database, folder, base)
        if filled:
            filled.run(filled.base.code, "manage.py", "migrate", "-v0")
            print(filled.run(filled.base.code, "manage.py", "seed_demo"))  # noqa: T201
        yield filled
