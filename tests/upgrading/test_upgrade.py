"""A database with data of the last schema is brought up to this one, and both codes work on it."""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from devstack.places import ROOT

from .rules import BASELINE

PAGES = Path(__file__).with_name("pages.py")
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The code as it was before the newest migration."""
    newest = git("log", "-1", "--format=%H", "--", "*/migrations/*.py").decode().strip()
    archive = git("archive", f"{newest}~1") if newest else b""
    if not archive:
        pytest.skip("there is no earlier commit here to upgrade from")
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A demo's, on an empty database of its own."""
    name = f"upgraded_{os.getpid()}"
    owner = os.environ["REVAMPD_DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    urls = {
        setting: re.sub(r"/revampd\?", f"/{name}?", os.environ[setting])
        for setting in ("REVAMPD_DATABASE_URL", "REVAMPD_DATABASE_OWNER_URL")
    }
    yield (
        os.environ
        | urls
        | {
            "REVAMPD_MODE": "demo",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )
    with psycopg.connect(owner, autocommit=True) as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)")


def keeps_the_rule() -> bool:
    """Whether the newest migrations are since the first release."""
    newest = git("log", "-1", "--name-only", "--format=", "--", "*/migrations/*.py").decode()
    paths = [Path(line) for line in newest.split()]
    return all(path.stem > BASELINE[path.parts[0]] for path in paths)


def test_an_upgrade_keeps_the_books_and_both_codes_at_work(
    old_code: Path, environment, tmp_path: Path
):
    local = tmp_path / "local"

    def run(code: Path, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=code,
            env=environment
            | {"PYTHONPATH": str(code), "REVAMPD_LOCAL_DIR": str(local / code.name)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    run(old_code, "manage.py", "migrate", "-v0")
    print(run(old_code, "manage.py", "seed_demo"))  # noqa: T201
    before = run(old_code, "manage.py", "showmigrations", "--plan")

    run(ROOT, "manage.py", "migrate", "-v0")
    after = run(ROOT, "manage.py", "showmigrations", "--plan")
    assert after.count("[X]") > before.count("[X]")
    assert "[ ]" not in after

    # The old code as well, for as long as processes of the last release are not replaced yet; what
    # came before the first release did not have to keep the rule.
    for code in (ROOT, old_code) if keeps_the_rule() else (ROOT,):
        run(code, "manage.py", "collectstatic", "--no-input", "-v0")
        assert "The books agree." in run(code, "manage.py", "verify_books")
        assert int(run(code, str(PAGES))) >= 12
