"""The servers: our own, reachable, with roles that no protection overlooks."""

import os
import signal
import subprocess

import pytest

from devstack.account import Account
from devstack.places import (
    LONGEST_SOCKET_FOLDER,
    open_shelter,
    open_to_everybody,
    socket_folder,
    temporary_home,
)
from devstack.postgres import APPLICATION, OWNER, Postgres, command_of
from devstack.processes import Processes
from devstack.terminal import Failed
from devstack.valkey import Valkey


@pytest.fixture(scope="module")
def home():
    with temporary_home() as folder:
        yield folder


def query(postgres: Postgres, role: str, statement: str) -> str:
    command = [str(postgres.bin / "psql"), postgres.url(role), "-XAtc", statement]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def start(server):
    child = server.start()
    server.wait()
    return child


@pytest.mark.xdist_group("devstack_servers")
class TestPostgres:
    def test_neither_role_is_a_superuser(self, home):
        with Processes() as processes:
            postgres = Postgres(home, processes, durable=False)
            start(postgres)

            for role in (OWNER, APPLICATION):
                assert query(postgres, role, "SHOW is_superuser") == "off"

    def test_the_application_cannot_make_tables(self, home):
        with Processes() as processes:
            postgres = Postgres(home, processes, durable=False)
            start(postgres)
            query(postgres, OWNER, "CREATE TABLE IF NOT EXISTS owned (id int)")

            with pytest.raises(subprocess.CalledProcessError, match="non-zero"):
                query(postgres, APPLICATION, "CREATE TABLE stolen (id int)")

    def test_it_is_deaf_to_the_developers_settings(self, home, monkeypatch):
        monkeypatch.setenv("PGPORT", "6543")
        monkeypatch.setenv("PGHOST", "db.example")
        with Processes() as processes:
            start(Postgres(home, processes, durable=False))

    def test_one_that_survived_its_supervisor_is_stopped(self, home):
        with Processes() as left_behind, Processes() as processes:
            orphan = start(Postgres(home, left_behind, durable=False))

            start(Postgres(home, processes, durable=False))

            assert not orphan.running

    def test_a_stale_pid_file_is_no_obstacle(self, home):
        with Processes() as killed, Processes() as processes:
            child = start(Postgres(home, killed, durable=False))
            os.kill(child.popen.pid, signal.SIGKILL)
            child.popen.wait()
            (pid_file,) = home.glob("pg*/postmaster.pid")
            lines = pid_file.read_text().splitlines()
            # The number belongs to another program by now: this one.
            pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

            start(Postgres(home, processes, durable=False))


@pytest.mark.xdist_group("devstack_servers")
class TestValkey:
    def test_one_that_survived_its_supervisor_is_stopped(self, home):
        with Processes() as left_behind, Processes() as processes:
            orphan = start(Valkey(home, left_behind, durable=False))

            start(Valkey(home, processes, durable=False))

            orphan.popen.wait(5)


class TestAccount:
    def test_it_reaches_what_is_open_to_it(self, tmp_path):
        assert Account(os.geteuid(), os.getegid()).can_reach(tmp_path)

    def test_it_does_not_reach_what_lies_below_a_closed_folder(self, tmp_path):
        closed = tmp_path / "closed"
        (closed / "open").mkdir(parents=True)
        closed.chmod(0o700)

        assert not Account(uid=65533, gid=65533).can_reach(closed / "open")


class TestSocketFolder:
    def test_it_lies_in_its_home(self, home):
        assert socket_folder(home, "pg") == home / "pg"

    @pytest.mark.parametrize("name", ["x" * 120, "with space", "Zürich"])
    def test_an_unfit_path_is_replaced(self, home, name):
        folder = socket_folder(home / name, "pg")

        assert len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER
        assert folder.parent != home / name


def test_the_command_of_a_process_is_found():
    assert "python" in command_of(os.getpid())


class TestShelter:
    @pytest.fixture
    def closed(self, tmp_path, monkeypatch):
        """A folder as a strict umask leaves it, with a program in it."""
        folder = tmp_path / "closed"
        folder.mkdir()
        (folder / "postgres").write_text("")
        (folder / "postgres").chmod(0o700)
        (folder / "share").write_text("")
        (folder / "share").chmod(0o600)
        folder.chmod(0o700)
        monkeypatch.setattr("devstack.places.shelter", lambda: tmp_path / "shelter")
        return folder

    def test_what_was_copied_there_is_open_to_read_and_closed_to_write(self, closed):
        open_to_everybody(closed)

        modes = [path.stat().st_mode & 0o777 for path in (closed, *sorted(closed.iterdir()))]
        assert modes == [0o755, 0o755, 0o644]

    def test_it_is_open_whatever_the_umask(self, closed):
        strict = os.umask(0o077)
        try:
            folder = open_shelter("home")
        finally:
            os.umask(strict)

        assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o755] * 2

    def test_one_that_is_a_link_is_not_trusted(self, closed, tmp_path):
        (tmp_path / "shelter").symlink_to(closed)

        with pytest.raises(Failed, match="belongs to somebody else"):
            open_shelter()
