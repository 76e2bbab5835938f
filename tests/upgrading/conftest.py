"""A site of an earlier commit, with the demo's data, brought up to this one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections

from devstack.places import ROOT
from tests.databases import made
from tests.demo.conftest import demo, demo_mode, maya

from .earlier import LAST, Earlier, unpacked
from .filled import Filled, run

__all__ = ["demo", "demo_mode", "maya"]


@dataclass(frozen=True)
class Site(Filled):
    """A database on which the code of several commits works in turn."""

    last: Earlier | None
    applied: tuple[str, str]  # the plan of migrations before and after


@pytest.fixture(scope="session")
def upgraded(filled: Filled | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Migrated and filled by the code of the base, then migrated by this one."""
    if filled is None:
        pytest.skip("there is no earlier commit here to upgrade from")
    database, folder = f"upgraded_{os.getpid()}", tmp_path_factory.mktemp("upgraded")
    with made(database, filled.database):
        before = _plan(database, folder, filled.base.code)
        run(database, folder, ROOT, "manage.py", "migrate", "-v0")
        applied = before, _plan(database, folder, ROOT)
        yield Site(database, folder, filled.base, unpacked(LAST, folder / "last"), applied)


def _plan(database: str, folder: Path, code: Path) -> str:
    return run(database, folder, code, "manage.py", "showmigrations", "--plan")


@pytest.fixture(scope="session")
def new(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The database of a new site: that of the tests, unless it was upgraded itself."""
    if not request.config.getoption("upgraded"):
        yield connections["owner"].settings_dict["NAME"]
        return
    database = f"new_{os.getpid()}"
    with made(database):
        run(database, tmp_path_factory.mktemp("new"), ROOT, "manage.py", "migrate", "-v0")
        yield database


@pytest.fixture(scope="session")
def _played(upgraded: Site, django_db_setup: None) -> Iterator[str]:
    """The demo that the tests of the demo look at here: a copy of the upgraded database."""
    copy = f"{upgraded.database}_copy"
    with made(copy, upgraded.database):
        yield copy
