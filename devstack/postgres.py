"""One PostgreSQL server of our own, on a Unix socket."""

import os
import signal
import subprocess
from pathlib import Path

from devstack import guard
from devstack.account import database_account
from devstack.binaries import postgres_programs
from devstack.places import open_shelter, socket_folder
from devstack.processes import Child, Processes, last_lines
from devstack.terminal import Failed

SUPERUSER = "postgres"
OWNER = "revampd_owner"  # owns the schema and migrates
APPLICATION = "revampd_app"  # what web and worker are
DATABASE = "revampd"

# Neither is a superuser, which would pass over every protection that lies in the database.
PREPARE = f"""
SELECT 'CREATE ROLE {OWNER} LOGIN CREATEDB'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
SELECT 'CREATE ROLE {APPLICATION} LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608 - made of constants


class Postgres:
    """Start, wait, address. No TCP: who may enter the socket's folder may connect."""

    def __init__(self, home: Path, processes: Processes, *, durable: bool = True) -> None:
        """durable=False gives up crash safety for speed: data that lives as long as the tests."""
        self._processes = processes
        self._durable = durable
        self._account = database_account()
        self._programs = postgres_programs().within_reach_of(self._account)
        if not self._account.can_reach(home):
            home = open_shelter(home.name)
        # Another major version cannot read the data, so it gets a folder of its own.
        self._data = home / f"pg{self._programs.major}"
        self._sockets = socket_folder(home, "pg")
        self._log = home / "postgres.log"
        self._addresses: tuple[str, ...] = ()

    @property
    def bin(self) -> Path:
        return self._programs.bin

    def url(self, role: str = APPLICATION) -> str:
        return f"postgres://{role}@/{DATABASE}?host={self._sockets}"

    def open_to(self, *networks: str) -> None:
        """From the next start on listen there as well, each as in "10.1.1.1/30", and believe
        whoever calls from it: for machines that a test makes."""
        self._addresses = tuple(network.split("/")[0] for network in networks)
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.writelines(f"host all all {network} trust\n" for network in networks)

    def start(self) -> Child:
        """Start the server, on a new data folder if there is none yet."""
        self._account.take(self._data)
        self._account.take(self._sockets)
        self._stop_orphan()
        self._log.write_bytes(b"")
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster()
        with self._log.open("ab") as log:
            return self._processes.start(
                "PostgreSQL",
                [self.bin / "postgres", "-D", self._data, *self._settings()],
                cwd="/",
                env=_environment(),
                stdout=log,
                stop_signal=signal.SIGINT,  # ends sessions; SIGTERM would wait for them
                patience=15,
                **self._account.popen_options,
            )

    def wait(self, seconds: float = 60) -> None:
        """Wait until it answers, then see to roles and database."""
        try:
            self._processes.wait_until(self._answers, "PostgreSQL", seconds)
        except Failed as error:
            raise Failed(f"{error}; its log ends with:\n{last_lines(self._log)}") from None
        self._run("psql", *self._connection(), "-qX", "-v", "ON_ERROR_STOP=1", text=PREPARE)

    def _answers(self) -> bool:
        command = [str(self.bin / "pg_isready"), "-q", *self._connection()]
        return subprocess.run(command, cwd="/", env=_environment()).returncode == 0

    def _connection(self) -> list[str]:
        return ["-h", str(self._sockets), "-U", SUPERUSER, "-d", "postgres"]

    def _make_cluster(self) -> None:
        """Create the data folder; the built-in locale sorts alike on every machine."""
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if self._programs.major < 17:
            locale = ["--locale=C.UTF-8"]
        speed = [] if self._durable else ["--no-sync"]
        self._run(
            "initdb",
            "-D",
            str(self._data),
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            *locale,
            *speed,
        )

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": ",".join(self._addresses),
            "max_connections": "60",
            "port": "5432",  # names the socket only
            "timezone": "UTC",
            "unix_socket_directories": str(self._sockets),
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _stop_orphan(self) -> None:
        """Stop a server that survived both its supervisor and its guard."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        if str(self._data) in command_of(pid):
            guard.stop(pid, signal.SIGINT, 15, lambda: guard.alive(pid))
        else:
            # PostgreSQL would believe in any process that has the number by now.
            pid_file.unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        result = subprocess.run(
            [self.bin / program, *arguments],
            cwd="/",
            env=_environment(),
            input=text,
            capture_output=True,
            text=True,
            **self._account.popen_options,
        )
        if result.returncode:
            raise Failed(f"{program} failed:\n{result.stdout}{result.stderr}")


def command_of(pid: int) -> str:
    """Return a process's command line, or nothing. Not by ps alone: a small Linux has none."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        if Path("/proc/self").exists():
            return ""
    command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True).stdout


def _environment() -> dict[str, str]:
    """Keep the developer's PGPORT, PGHOST and the like away from our own server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
