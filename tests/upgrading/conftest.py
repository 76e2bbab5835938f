"""A site of an earlier commit, with the demo's data, brought up to this one."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from devstack.places import ROOT
from tests.demo.conftest import demo, demo_mode, maya

from .earlier import LAST, Earlier, before_migrations, unpacked

__all__ = ["demo", "demo_mode", "maya"]


@dataclass(frozen=True)
class Site:
    """A database of its own, on which the code of several commits works in turn."""

    database: str
    environment: dict[str, str]
    folder: Path
    base: Earlier
    last: Earlier | None
    applied: tuple[str, str]  # the plan of migrations before and after

    def run(self, code: Path, *command: str) -> str:
        """What a Python process of that code prints. Fails unless all went well."""
        return run(self.environment, self.folder, code, *command)


def run(environment: dict[str, str], folder: Path, code: Path, *command: str) -> str:
    local = {"PYTHONPATH": str(code), "REVAMPD_LOCAL_DIR": str(folder / "local" / code.name)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=code,
        env=environment | local,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Migrated and filled by the code of the base, then migrated by this one."""
    database, folder = f"upgraded_{os.getpid()}", tmp_path_factory.mktemp("upgraded")
    urls = {
        setting: re.sub(r"/revampd\?", f"/{database}?", os.environ[setting])
        for setting in ("REVAMPD_DATABASE_URL", "REVAMPD_DATABASE_OWNER_URL")
    }
    environment = os.environ | urls | {"REVAMPD_MODE": "demo", "PYTHONDONTWRITEBYTECODE": "1"}
    _execute(f"CREATE DATABASE {database}")
    base = before_migrations(folder, environment)
    if base is None:
        pytest.skip("there is no earlier commit here to upgrade from")
    plans = []
    for code in (base.code, ROOT):
        run(environment, folder, code, "manage.py", "migrate", "-v0")
        if code is base.code:
            print(run(environment, folder, code, "manage.py", "seed_demo"))  # noqa: T201
        plans.append(run(environment, folder, code, "manage.py", "showmigrations", "--plan"))
    yield Site(
        database, environment, folder, base, unpacked(LAST, folder / "last"), (plans[0], plans[1])
    )
    _execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture(scope="session")
def _played(upgraded: Site, django_db_setup: None) -> Iterator[str]:
    """The demo that the tests of the demo look at here: a copy of the upgraded database."""
    copy = f"{upgraded.database}_copy"
    _execute(f"CREATE DATABASE {copy} TEMPLATE {upgraded.database}")
    yield copy
    _execute(f"DROP DATABASE {copy} WITH (FORCE)")


def _execute(statement: str) -> None:
    owner = os.environ["REVAMPD_DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute(statement)  # type: ignore[call-overload]
