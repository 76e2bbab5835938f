"""The product as it runs: a web server and a worker, processes of their own, on the test database.

Nothing is replaced: gunicorn serves, Celery works, Valkey rings between them, mails become files.
"""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from redis import Redis

from connections.models import Outbox, User
from devstack.demo import first_page_answers
from devstack.processes import Processes, last_lines
from notifications.models import Delivery
from revampd.kit import doorbell
from revampd.settings import broker_url

STARTS_WITHIN = 60  # seconds; a busy small machine needs about 6
QUIET_WITHIN = 15

TROUBLE = re.compile(r"\b(ERROR|CRITICAL|Traceback)\b")


class House:
    """Starts web and worker, and knows their address, their mails and their logs."""

    # The other tests ring and cache in database 0, which they empty.
    valkey_database = 9

    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder = folder
        self._processes = processes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._read: dict[Path, int] = {}
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        self._bell = Celery("house", broker=broker_url(self._redis_url()), set_as_current=False)
        self._broker = Redis.from_url(self._redis_url())

    def start(self) -> Self:
        """Start both and wait until the worker takes tasks and a page answers."""
        env, ready = self._environment(), self._folder / "worker-ready"
        celery = [sys.executable, "-m", "celery", "--quiet", "--app", "revampd", "worker"]
        celery += ["--concurrency=1", "--loglevel=warning", "--without-gossip", "--without-mingle"]
        number = self._listener.fileno()
        gunicorn = [sys.executable, "-m", "gunicorn", "revampd.wsgi", f"--bind=fd://{number}"]
        gunicorn += ["--worker-class=gthread", "--threads=8", "--log-level=warning"]
        gunicorn += ["--graceful-timeout=2", "--no-control-socket"]
        with self._log("worker").open("wb") as log:
            env |= {"REVAMPD_WORKER_READY_FILE": str(ready)}
            self._worker = self._processes.start("worker", celery, env=env, stdout=log)
        with self._log("web").open("wb") as log:
            web = self._processes.start("web", gunicorn, env=env, stdout=log, pass_fds=[number])
        self._web = psutil.Process(web.popen.pid)
        self._processes.wait_until(
            lambda: ready.exists() and first_page_answers(self._listener),
            f"the product (its log ends with: {last_lines(self._log('web'))})",
            STARTS_WITHIN,
        )
        return self

    def close(self) -> None:
        self._bell.close()
        self._broker.close()
        self._listener.close()

    def _environment(self) -> dict[str, str]:
        return dict(os.environ) | {
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
            "REVAMPD_DATABASE_URL": self._database_url(),
            "REVAMPD_REDIS_URL": self._redis_url(),
            "REVAMPD_BASE_URL": self.url,
            "REVAMPD_EMAIL_URL": f"filemail:///{self._folder / 'mail'}",
            "REVAMPD_LOCAL_DIR": str(self._folder),
        }

    @staticmethod
    def _database_url() -> str:
        """The application's role, on the database that pytest made."""
        return urlsplit(settings.DATABASE_URL)._replace(path=f"/{_database_name()}").geturl()

    def _redis_url(self) -> str:
        parts = urlsplit(settings.REDIS_URL)
        if parts.scheme == "unix":
            return f"unix://{parts.path}?db={self.valkey_database}"
        return parts._replace(path=f"/{self.valkey_database}").geturl()

    # People and mails

    def session_of(self, user: User) -> str:
        """A session in which `user` is signed in, as the cookie that carries it."""
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def mail_to(self, address: str, *, about: str = "") -> EmailMessage:
        """The newest mail to `address` with `about` in its subject; waits for the worker."""
        found: list[EmailMessage] = []

        def look() -> bool:
            found.extend(
                mail for mail in self._mails() if mail["To"] == address and about in mail["Subject"]
            )
            return bool(found)

        wait_until(look, f"a mail to {address} about {about!r}")
        return found[-1]

    def _mails(self) -> list[EmailMessage]:
        """Every mail sent so far, the newest last."""
        folder = self._folder / "mail"
        files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
        parts = [part for file in files for part in file.read_bytes().split(b"\n" + b"-" * 79)]
        texts = [part.strip() for part in parts if part.strip()]
        return [message_from_bytes(text, policy=policy.default) for text in texts]  # type: ignore[misc]

    def forget_mails(self) -> None:
        for file in (self._folder / "mail").glob("*.log"):
            file.unlink()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What the test does itself inside the block, through verbs, rings this worker too."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(doorbell, "current_app", self._bell)
            yield

    @contextmanager
    def worker_halted(self) -> Iterator[None]:
        """The worker and its children stand still, whatever they are at."""
        group = self._worker.popen.pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    # Afterwards

    def wait_until_worked_off(self) -> None:
        """Wait until everybody is told what happened, and the worker has nothing to do."""
        self._wait_until(self._is_worked_off, "the worker to finish")

    def wait_until_quiet(self) -> None:
        """Wait until nobody works on the database, so that it can be emptied.

        The windows are closed by then; what they had asked for may still be on its way.
        """
        self._wait_until(self._is_quiet, "web and worker to finish")

    def _wait_until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            # Twice: between the broker and the worker, a task is for a moment with neither.
            wait_until(lambda: holds() and holds(), what)
        except AssertionError as error:
            error.add_note(self._state())
            raise

    def _is_quiet(self) -> bool:
        return not self.callers() and self._is_worked_off()

    def callers(self) -> list[str]:
        """Who is connected with the web server. It hangs up after its answer, not before."""
        processes = self._web.children(recursive=True)
        calls = [call for process in processes for call in process.net_connections("tcp4")]
        return [str(call) for call in calls if call.raddr and self._is_ours(call)]

    def _is_ours(self, call: Any) -> bool:
        return bool(call.laddr == self._listener.getsockname())

    def _tasks(self) -> int:
        """How many tasks wait in the broker, or are begun and not done."""
        return int(self._broker.llen("celery") + self._broker.hlen("unacked"))

    def _is_worked_off(self) -> bool:
        waiting = Delivery.objects.filter(state="QUEUED", due_at__lte=timezone.now()).exists()
        if self._tasks() or waiting or Outbox.objects.filter(Q(problem="")).exists():
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            return bool(cursor.fetchone()[0] == 0)

    def _state(self) -> str:
        waiting = {
            "callers": self.callers(),
            "tasks": self._tasks(),
            "outbox": Outbox.objects.count(),
            "mails": Delivery.objects.filter(state="QUEUED"),
        }
        return f"{waiting}\nworker: {last_lines(self._log('worker'))}"

    def troubles(self) -> list[str]:
        """What web and worker have logged as an error since the last call."""
        return [line for name in ("web", "worker") for line in self._new_lines(self._log(name))]

    def _new_lines(self, log: Path) -> list[str]:
        text = log.read_text(errors="replace")
        new, self._read[log] = text[self._read.get(log, 0) :], len(text)
        return [f"{log.stem}: {new}"] if TROUBLE.search(new) else []

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _database_name() -> str:
    return str(connection.settings_dict["NAME"])


def wait_until(holds: Callable[[], bool], what: str, seconds: float = QUIET_WITHIN) -> None:
    """Wait for a condition outside of the browser; AssertionError after too many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.05)


def path_in(mail: EmailMessage, containing: str) -> str:
    """The link in the text of a mail whose address contains `containing`."""
    body = mail.get_body(preferencelist=("plain",))
    assert body is not None
    links = re.findall(r"https?://\S+", body.get_content())
    return next(link for link in links if containing in link)
