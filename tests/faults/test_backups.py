"""A backup that is taken while everything goes on, and what comes back of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.places import ROOT
from devstack.postgres import OWNER

from .house import House
from .servers import eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(900),
]

# So many that they go on for longer than a backup takes to begin.
PAYING = 120


@pytest.fixture
def attachments(home: Path) -> Path:
    folder = home / "attachments"
    folder.mkdir()
    (folder / "a-file").write_bytes(b"what somebody attached")
    return folder


@pytest.fixture
def payer(house: House) -> Iterator[subprocess.Popen[bytes]]:
    """Payments that go on until the test is over."""
    house.restore()
    command = [sys.executable, "-m", "tests.faults.paying", str(PAYING)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | house.env("books")) as process:
        try:
            eventually(lambda: house.count("billing_paymentmethod") == PAYING, 480)
            yield process
        finally:
            process.kill()


@pytest.fixture
def empty(house: House) -> Iterator[str]:
    """A database without a table, as its owner makes it."""
    with house.session("postgres") as session:
        session.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        session.execute(f"CREATE DATABASE restored OWNER {OWNER}")
    yield "restored"
    with house.session("postgres") as session:
        session.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")


def manage(house: House, name: str, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"REVAMPD_POSTGRES_BIN": os.environ["REVAMPD_DEVSTACK_POSTGRES_BIN"], **more}
    line = [sys.executable, "manage.py", *command]
    return subprocess.run(
        line, cwd=ROOT, env=os.environ | house.env(name) | env, capture_output=True, text=True
    )


class TestBackup:
    def test_taken_under_load_passes_reconciliation_when_restored(
        self, house: House, payer, empty, home, attachments
    ):
        there = {"REVAMPD_ATTACHMENTS_DIR": str(attachments)}
        with house.begun() as run:
            eventually(lambda: house.count("billing_payment") > 0, 120)
            begun = house.issued(), house.count("billing_payment")
            taken = manage(house, "books", "backup", str(home / "backups"), **there)
            assert taken.returncode == 0, taken.stderr
            went_on = house.issued(), house.count("billing_payment")
            assert run.wait() == 0, house.said
        [dump], [files] = (home / "backups").glob("*.dump"), (home / "backups").glob("*.files.tar")
        assert dump.stat().st_mode & 0o077 == files.stat().st_mode & 0o077 == 0

        back = home / "back"
        told = manage(house, empty, "restore", str(dump), "--files", str(files),
                      REVAMPD_ATTACHMENTS_DIR=str(back))  # fmt: skip
        assert told.returncode == 0, told.stderr
        assert "The books agree." in told.stdout
        assert (back / "a-file").read_bytes() == b"what somebody attached"
        with house.session(empty) as session:
            [(issued, paid)] = session.execute(
                "SELECT (SELECT count(*) FROM billing_invoice), count(*) FROM billing_payment"
            ).fetchall()
            rights = "has_table_privilege('revampd_app', 'connections_event', %s)"
            [may] = session.execute(
                f"SELECT {rights}, {rights}, {rights}", ["SELECT", "INSERT", "DELETE"]
            ).fetchall()
        print(f"from {begun} to {went_on}, restored {issued, paid}")  # noqa: T201
        # It shows an instant between the two, while invoices or payments came to be.
        assert went_on > begun
        assert begun[0] <= issued <= went_on[0]
        assert 0 < begun[1] <= paid <= went_on[1]
        assert may == (True, True, False)

    def test_goes_into_no_database_that_holds_anything(self, house: House, home):
        (home / "some.dump").write_bytes(b"")

        told = manage(house, "books", "restore", str(home / "some.dump"))

        assert told.returncode == 1
        assert "Restore into an empty one" in told.stderr

    def test_leaves_nothing_half_restored(self, house: House, empty, home):
        house.restore()
        assert manage(house, "books", "backup", str(home)).returncode == 0
        [dump] = home.glob("*.dump")
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])

        told = manage(house, empty, "restore", str(dump))

        assert told.returncode == 1
        assert "pg_restore failed" in told.stderr
        with house.session(empty) as session:
            found = session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            assert found.fetchall() == [(0,)]

    def test_says_what_is_missing_where_there_are_no_programs(self, house: House, home):
        told = manage(house, "books", "backup", str(home), PATH="", REVAMPD_POSTGRES_BIN="")

        assert told.returncode == 1
        assert "REVAMPD_POSTGRES_BIN" in told.stderr
        assert list(home.glob("*.dump")) == []
