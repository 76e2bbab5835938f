"""The commands in the operators' pages, run as they stand there, in the order of a site's life.

A block is run if `<!-- run: KIND -->` stands above it. Only what cannot be the same here is
replaced: the Python, the folder of backups and the name of the newest one.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.checks import production_environment
from devstack.places import ROOT, temporary_home
from devstack.postgres import OWNER, SUPERUSER, Postgres
from devstack.processes import Processes
from devstack.valkey import Valkey
from tests.notifications.smtp import mail_server

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]

BLOCK = re.compile(r"<!-- run: ([\w ]+) -->\n```\w+\n(.*?)```", re.DOTALL)
LIFE = ["deploy.md", "backup.md", "upgrade.md", "growing.md", "incidents.md", "restore.md"]
NOT_COPIED = (".git", ".venv", ".local", "__pycache__", ".*_cache", ".hypothesis")
PORT = 8000


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "docs" / page).read_text())


class Site:
    """A site on servers of its own, in a copy of the checkout, in production."""

    def __init__(self, home: Path, processes: Processes) -> None:
        self.home, self._processes = home, processes
        self.code, self.backups = home / "revampd", home / "backups"
        shutil.copytree(ROOT, self.code, ignore=shutil.ignore_patterns(*NOT_COPIED))
        self._postgres = Postgres(home, processes, durable=False)
        valkey = Valkey(home, processes, durable=False)
        self._postgres.start()
        valkey.start()
        self._postgres.wait()
        valkey.wait()
        kept = {name: value for name, value in os.environ.items() if "REVAMPD" not in name}
        self.env = kept | production_environment() | {
            "REVAMPD_DATABASE_URL": self._postgres.url(),
            "REVAMPD_DATABASE_OWNER_URL": self._postgres.url(OWNER),
            "REVAMPD_REDIS_URL": valkey.url(),
            "REVAMPD_POSTGRES_BIN": str(self._postgres.bin),
            "REVAMPD_LOCAL_DIR": str(home),
        }  # fmt: skip
        self.env.pop("DJANGO_SETTINGS_MODULE", None)

    def forget_what_is_made_by_hand(self) -> None:
        """Roles and database are the page's to make."""
        self.sql("DROP DATABASE revampd; DROP ROLE revampd_owner; DROP ROLE revampd_app")

    def sql(self, statements: str, role: str = SUPERUSER, database: str = "postgres") -> None:
        url = self._postgres.url(role).replace("@/revampd?", f"@/{database}?")
        with psycopg.connect(url, autocommit=True) as session:
            for statement in filter(str.strip, statements.split(";")):
                session.execute(statement)  # type: ignore[arg-type]

    def sh(self, lines: str) -> None:
        newest = max(self.backups.glob("*.dump"), default=Path("none")).name.split(".")[0]
        lines = lines.replace(".venv/bin/python", sys.executable)
        lines = lines.replace("/var/backups/revampd", str(self.backups))
        lines = lines.replace("revampd-20261128T030000Z", newest)
        done = subprocess.run(
            ["bash", "-e", "-c", lines], cwd=self.code, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"

    def start_web(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "revampd.wsgi", f"--bind=127.0.0.1:{PORT}"]
        self._web = self._processes.start(
            "web", command, cwd=self.code, env=self.env, stdout=None, lasting=False
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                    return
            time.sleep(0.2)
        pytest.fail("gunicorn does not listen")

    def stop_web(self) -> None:
        self._web.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"something listens at port {PORT} already")
    with temporary_home() as home, Processes() as processes:
        yield Site(home, processes)


class TestPages:
    def test_say_what_works_as_written(self, site: Site):
        attachments = site.home / "attachments"
        attachments.mkdir()
        (attachments / "a-file").write_text("kept")
        site.forget_what_is_made_by_hand()
        with mail_server() as mailbox:
            site.env["REVAMPD_EMAIL_URL"] = f"smtp://127.0.0.1:{mailbox.port}"
            for page in LIFE:
                if page == "restore.md":
                    site.stop_web()  # as its first step says
                for kind, lines in blocks(page):
                    follow(site, kind, lines)

        assert len(mailbox.mails) == 1
        [files] = site.backups.glob("*.files.tar")
        assert files.stat().st_size > 0

    def test_have_commands_to_run(self):
        assert [page for page in LIFE if not blocks(page)] == []

    @pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
    def test_link_to_what_is_there(self, page: Path):
        linked = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

        assert [link for link in linked if not (page.parent / link).exists()] == []


def follow(site: Site, kind: str, lines: str) -> None:
    """Do what a block says, where it says it is done."""
    if kind == "sql":
        site.sql(lines)
    elif kind == "sql owner":
        site.sql(lines, OWNER, "revampd")
    else:
        if kind == "sh web":
            site.start_web()
        site.sh(lines)
