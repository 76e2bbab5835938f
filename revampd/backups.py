"""Backups: what pg_dump writes, with the files of tickets; and back into an empty database.

A dump shows one instant, however much goes on meanwhile. The files are packed after it and are
never changed, so that every file the dump speaks of is there.
"""

import os
import subprocess
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.db import connections

from revampd.kit.grants import grant

# How libpq calls in the environment what Django calls in a connection: so no password is seen in a
# list of processes.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


class BackupFailed(Exception):
    """Says what went wrong, in the words of whatever program failed."""


@dataclass(frozen=True)
class Backup:
    """One dump, and the files packed with it; None where they lie in a bucket or there are none."""

    dump: Path
    files: Path | None


def take(folder: Path, *, at: datetime) -> Backup:
    """Write a backup into `folder`, readable for its owner alone. Raises BackupFailed.

    What has its final name is complete and was read through.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    dump = folder / f"revampd-{at:%Y%m%dT%H%M%SZ}.dump"
    unfinished = dump.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    _run("pg_dump", "--format=custom", f"--file={unfinished}")
    _run("pg_restore", "--list", str(unfinished))
    files = _pack(dump.with_suffix(".files.tar"))
    unfinished.rename(dump)
    return Backup(dump, files)


def put_back(dump: Path, files: Path | None) -> None:
    """Fill the empty database from `dump`, all or nothing, then the folder of files.

    Raises BackupFailed, also if the database holds anything.
    """
    owner = connections["owner"]
    if tables := owner.introspection.table_names():
        raise BackupFailed(
            f"The database holds {len(tables)} tables. Restore into an empty one; docs/restore.md "
            "tells how to make it."
        )
    owner.close()
    ours = ["--no-owner", "--no-acl", "--exit-on-error", "--single-transaction"]
    name = str(owner.settings_dict["NAME"])
    _run("pg_restore", *ours, f"--dbname={name}", str(dump))
    _grant()
    with owner.cursor() as cursor:
        cursor.execute("ANALYZE")
    if files:
        _unpack(files)


def _grant() -> None:
    """The application's role, which a new database does not know yet."""
    owner, role = connections["owner"], settings.DATABASES["default"].get("USER")
    if role and role != owner.settings_dict.get("USER"):
        grant(owner, role, apps.get_models(include_auto_created=True))


def _pack(target: Path) -> Path | None:
    folder = _folder()
    if folder is None or not folder.exists():
        return None
    target.touch(mode=0o600)
    with tarfile.open(target, "w") as archive:
        archive.add(folder, arcname=".")
    return target


def _unpack(files: Path) -> None:
    folder = _folder()
    if folder is None:
        raise BackupFailed("The files of tickets lie in a bucket here: unpack them there.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(files) as archive:
        archive.extractall(folder, filter="data")


def _folder() -> Path | None:
    """Where the files of tickets lie; None if that is a bucket, which has backups of its own."""
    storage = storages["attachments"]
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def _run(program: str, *arguments: str) -> None:
    path = Path(settings.POSTGRES_BIN, program) if settings.POSTGRES_BIN else program
    given = connections["owner"].get_connection_params()
    there = {name: str(given[key]) for key, name in VARIABLES.items() if given.get(key)}
    try:
        ended = subprocess.run(  # noqa: S603 - our own program and arguments
            [path, *arguments], env=os.environ | there, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BackupFailed(
            f"{program} cannot be run ({error.strerror}). Install the client programs of "
            "PostgreSQL, or name their folder in REVAMPD_POSTGRES_BIN."
        ) from error
    if ended.returncode:
        raise BackupFailed(f"{program} failed:\n{ended.stderr.strip()}")
