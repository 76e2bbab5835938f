"""Real processes that a test starts for itself, to kill them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoAnswer
from redis.retry import Retry

from devstack.places import ROOT

# Of a broker that other machines reach.
PORT = 6390


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


class Broker:
    """A Valkey of the test's own, on a socket in its own folder, which keeps nothing on disk.

    With `addresses` other machines reach it as well.
    """

    def __init__(self, home: Path, *addresses: str) -> None:
        self.home, self.socket = home, home / "valkey.sock"
        self._addresses = addresses
        self.url = f"unix://{self.socket}?db=0"
        self._client = Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = os.environ["REVAMPD_DEVSTACK_VALKEY_SERVER"]
        place = ["--unixsocket", str(self.socket), "--dir", str(self.home), "--port"]
        if self._addresses:
            place += [str(PORT), "--protected-mode", "no", "--bind", *self._addresses]
        else:
            place.append("0")
        nothing_kept = ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([binary, *place, *nothing_kept], stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def kill(self) -> None:
        """kill -9, after making sure that the server on the socket is ours."""
        assert self._process is not None
        assert self._client.config_get("dir")["dir"] == str(self.home)
        assert self._client.info("server")["process_id"] == self._process.pid
        self._end()

    def waiting(self, queue: str) -> int:
        """How many messages wait for a worker."""
        return int(self._client.llen(queue))

    def close(self) -> None:
        if self._process:
            self._end()
        self._client.close()

    def _end(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        self._client.connection_pool.disconnect()

    def _answers(self) -> bool:
        try:
            return bool(self._client.ping())
        except NoAnswer:
            return False


class Worker:
    """A Celery worker with its beat, on a database and a broker of the test's own."""

    def __init__(self, home: Path, database: str, broker: Broker) -> None:
        self.home = home
        self.env = os.environ | {
            "REVAMPD_DATABASE_URL": database,
            "REVAMPD_REDIS_URL": broker.url,
            "REVAMPD_EMAIL_URL": "dummymail://",
            "REVAMPD_WORKER_READY_FILE": str(home / "ready"),
        }
        self._process: subprocess.Popen[bytes] | None = None
        # What leads to the machine on which it runs, if that is not this one.
        self.machine: list[str] = []

    def start(self) -> None:
        """Return when it takes tasks."""
        ready = self.home / "ready"
        ready.unlink(missing_ok=True)
        options = ["--concurrency", "1", "--without-mingle", "--without-gossip", *self.options()]
        self._process = subprocess.Popen(
            [*self.machine, sys.executable, "-m", "celery", "-A", "revampd", "worker", *options],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(ready.exists, 60)

    def options(self) -> list[str]:
        """Beat writes its plan while it dies: each worker gets a plan of its own."""
        plan = tempfile.mkdtemp(dir=self.home)
        return ["--beat", "--schedule", f"{plan}/beat"]

    def kill(self) -> None:
        """kill -9 of the worker and all its children, which are a group of their own."""
        assert self._process is not None
        assert os.getpgid(self._process.pid) == self._process.pid != os.getpgid(0)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def close(self) -> None:
        if self._process:
            self.kill()


def database_url() -> str:
    """Where the test database is, for another process."""
    url = urlsplit(os.environ["REVAMPD_DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
