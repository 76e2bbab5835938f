"""The commands in the documents, run as they stand there, in the order of a site's life.

Above each block stands `<!-- run: KIND -->`, or `<!-- not run: REASON -->`. Only what cannot be the
same here is replaced: the virtual environment, the folders of backups and of beat, and the name of
the newest backup.
"""

import fcntl
import os
import pty
import re
import shlex
import shutil
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack.checks import production_environment
from devstack.places import ROOT, temporary_home
from devstack.postgres import OWNER, SUPERUSER, Postgres
from devstack.processes import Child, Processes
from devstack.valkey import Valkey
from tests.notifications.smtp import mail_server

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]

BLOCK = re.compile(r"(?:<!-- (run|not run): ([^\n]+) -->\n)?```(\w*)\n(.*?)```", re.DOTALL)
KINDS = ("sh", "sh person", "sh mail", "processes", "sql", "sql owner")
PAGES = [
    *(ROOT / "README.md", ROOT / "bench" / "README.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LIFE = ["deploy.md", "backup.md", "upgrade.md", "growing.md", "incidents.md", "restore.md"]
# What the first of staff types at the terminal: address, name, password twice.
TYPED = ("ada@portal.example", "Ada Lovelace", "correct horse battery", "correct horse battery")
BEAT = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 1650811252 AND granted"
NOT_COPIED = (".git", ".venv", ".local", "__pycache__", ".*_cache", ".hypothesis")
PORT = 8000


def blocks(page: str) -> list[tuple[str, str]]:
    """Those to run: of which kind each is, and its lines."""
    found = BLOCK.findall((ROOT / "docs" / page).read_text())
    return [(kind, lines) for whether, kind, _, lines in found if whether == "run"]


class Site:
    """A site on servers of its own, in a copy of the checkout, in production."""

    def __init__(self, home: Path, processes: Processes) -> None:
        self.home, self._processes = home, processes
        self.code, self.backups = home / "revampd", home / "backups"
        self._started: list[Child] = []
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
            "REVAMPD_WORKER_READY_FILE": str(home / "ready"),
        }  # fmt: skip
        self.env.pop("DJANGO_SETTINGS_MODULE", None)

    def forget_what_is_made_by_hand(self) -> None:
        """Roles and database are the page's to make."""
        self.sql("DROP DATABASE revampd; DROP ROLE revampd_owner; DROP ROLE revampd_app")

    def sql(
        self, statements: str, role: str = SUPERUSER, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """What the last of them found."""
        url = self._postgres.url(role).replace("@/revampd?", f"@/{database}?")
        with psycopg.connect(url, autocommit=True) as session:
            for statement in filter(str.strip, statements.split(";")):
                done = session.execute(statement)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def _here(self, lines: str) -> str:
        """The same, with the places of this machine."""
        newest = max(self.backups.glob("*.dump"), default=Path("none")).name.split(".")[0]
        lines = lines.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        lines = lines.replace("/var/backups/revampd", str(self.backups))
        lines = lines.replace("/var/lib/revampd", str(self.home))
        return lines.replace("revampd-20261128T030000Z", newest)

    def sh(self, lines: str) -> None:
        command = ["bash", "-e", "-c", self._here(lines)]
        done = subprocess.run(
            command, cwd=self.code, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"

    def at_a_terminal(self, line: str, typed: tuple[str, ...]) -> None:
        """Run a command that asks, and answer each of its questions."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            shlex.split(self._here(line)),
            cwd=self.code,
            env=self.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # a password is asked of the terminal, not of standard input
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        ) as child:
            os.close(theirs)
            said = b""
            for answer in typed:
                while not said.rstrip().endswith(b":"):
                    said += os.read(ours, 1024)
                os.write(ours, answer.encode() + b"\n")
                said = b""
            with suppress(OSError):  # the terminal closes with its last process
                while more := os.read(ours, 1024):
                    said += more
            os.close(ours)
        assert child.returncode == 0, said.decode()

    def start(self, lines: str) -> None:
        """Start a process a line, and wait until each is at work."""
        (self.home / "ready").unlink(missing_ok=True)
        for line in lines.splitlines():
            command = shlex.split(self._here(line))
            name = Path(command[0]).name
            started = self._processes.start(
                name, command, cwd=self.code, env=self.env, stdout=None, lasting=False
            )
            self._started.append(started)
        until(self._listens, "gunicorn does not listen")
        until((self.home / "ready").exists, "no worker takes tasks")
        until(self._has_a_beat, "no beat sends")

    def stop(self) -> None:
        while self._started:
            self._started.pop().stop()

    @staticmethod
    def _listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", PORT)) == 0

    def _has_a_beat(self) -> bool:
        with psycopg.connect(self._postgres.url(SUPERUSER)) as session:
            return session.execute(BEAT).fetchone() is not None


def until(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


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
                    site.stop()  # as its first step says
                for kind, lines in blocks(page):
                    follow(site, kind, lines)
            # As its last step says.
            [again] = [lines for kind, lines in blocks("deploy.md") if kind == "processes"]
            site.start(again)
            site.sh(blocks("incidents.md")[0][1])

        assert len(mailbox.mails) == 1
        assert site.sql("SELECT email FROM connections_user", database="revampd") == [(TYPED[0],)]
        [files] = site.backups.glob("*.files.tar")
        assert files.stat().st_size > 0

    def test_have_commands_to_run(self):
        assert [page for page in LIFE if not blocks(page)] == []

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_say_of_each_block_whether_it_is_run(self, page: Path):
        text = page.read_text()
        found = BLOCK.findall(text)

        assert unmarked(text) == []
        assert [kind for whether, kind, *_ in found if whether == "run" and kind not in KINDS] == []
        runs = [kind for whether, kind, *_ in found if whether == "run"]
        assert not runs or page.name in LIFE

    def test_would_be_told_of_a_block_that_says_nothing(self):
        marked = "<!-- run: sh -->\n```sh\ntrue\n```\n"
        assert unmarked(f"Text\n\n{marked}") == []

        assert unmarked(f"{marked}\n```sh\nfalse\n```\n") == ["false"]
        assert unmarked(f"{marked}\n    false\n\nText") == ["false"]

    def test_name_options_that_exist(self):
        """Also where a block takes too long to be run."""
        lines = re.findall(r"(?m)^\.venv/bin/python (bench/\w+\.py)(.*)$", PAGES[1].read_text())
        assert len(lines) > 5
        for script in {script for script, _ in lines}:
            asked = [sys.executable, script, "--help"]
            told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
            for _, options in filter(lambda line: line[0] == script, lines):
                named = re.findall(r"--[a-z-]+", options.split("  #")[0])
                assert [option for option in named if option not in told.stdout] == []

    @pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
    def test_link_to_what_is_there(self, page: Path):
        linked = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

        assert [link for link in linked if not (page.parent / link).exists()] == []


def follow(site: Site, kind: str, lines: str) -> None:
    """Do what a block says, where it says it is done."""
    if kind == "processes":
        site.start(lines)
    elif kind == "sh person":
        site.at_a_terminal(lines, TYPED)
    elif kind == "sql":
        site.sql(lines)
    elif kind == "sql owner":
        site.sql(lines, OWNER, "revampd")
    else:
        site.sh(lines)


def unmarked(text: str) -> list[str]:
    """The blocks of a page that do not say whether they are run; those by indents never do."""
    fenced = [lines.strip() for whether, _, _, lines in BLOCK.findall(text) if not whether]
    indented = re.findall(r"(?m)(?<=\n\n) {4}(\S.*)$", BLOCK.sub("", text))
    return fenced + indented
