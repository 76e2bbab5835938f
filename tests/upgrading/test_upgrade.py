"""A database with data of the last schema is brought up to this one, and both codes work on it."""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from devstack.places import ROOT

from .rules import BASELINE

MIGRATIONS = "*/migrations/*.py"
PAGES = Path(__file__).with_name("pages.py")
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]


def git(*words: str) -> str:
    """What it says, nothing if it fails."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


@dataclass(frozen=True)
class Earlier:
    """The code as it was before the newest migrations, and what those are."""

    code: Path
    migrations: list[Path]

    @property
    def keep_the_rule(self) -> bool:
        """Whether all of them are since the first release."""
        return all(path.stem > BASELINE[path.parts[0]] for path in self.migrations)


@pytest.fixture
def earlier(environment: dict[str, str], tmp_path: Path) -> Earlier:
    """Of the last commits before a migration, the first that this one continues."""
    for commit in git("log", "-20", "--format=%H~1", "--", MIGRATIONS).split():
        code, archive = tmp_path / commit[:9], tmp_path / f"{commit[:9]}.tar"
        git("archive", commit, f"--output={archive}")
        if archive.exists() and not changed_since(commit, "DMR"):
            with tarfile.open(archive) as files:
                files.extractall(code, filter="data")
            if is_whole(code, environment):
                return Earlier(code, changed_since(commit, "A"))
    pytest.skip("there is no earlier commit here to upgrade from")


def changed_since(commit: str, how: str) -> list[Path]:
    """The migrations that were added, deleted, modified or renamed."""
    named = git("diff", "--name-only", f"--diff-filter={how}", commit, "HEAD", "--", MIGRATIONS)
    return [Path(line) for line in named.split()]


def is_whole(code: Path, environment: dict[str, str]) -> bool:
    """While branches were joined, a commit held half of what belongs together."""
    command = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    known = environment | {"PYTHONPATH": str(code)}
    return subprocess.run(command, cwd=code, env=known, capture_output=True).returncode == 0


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


def test_an_upgrade_keeps_the_books_and_both_codes_at_work(
    earlier: Earlier, environment: dict[str, str], tmp_path: Path
) -> None:
    local, old_code = tmp_path / "local", earlier.code

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
    for code in (ROOT, old_code) if earlier.keep_the_rule else (ROOT,):
        run(code, "manage.py", "collectstatic", "--no-input", "-v0")
        assert "The books agree." in run(code, "manage.py", "verify_books")
        assert int(run(code, str(PAGES))) >= 12
