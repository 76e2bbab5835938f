"""`./run.py demo`: everything that makes up the running product, in one terminal."""

import http.client
import os
import secrets
import socket
import sys
import time
from pathlib import Path
from textwrap import indent

from devstack import port, static
from devstack.interruption import Interrupted
from devstack.lock import FolderLock
from devstack.places import LOCAL
from devstack.postgres import OWNER, Postgres
from devstack.processes import Child, Processes, last_lines
from devstack.terminal import Failed, progress, say
from devstack.valkey import Valkey

MANAGE = [sys.executable, "manage.py"]
CELERY = [sys.executable, "-m", "celery", "--quiet", "--app", "revampd"]
GUNICORN = [sys.executable, "-m", "gunicorn", "revampd.wsgi"]
READY_WITHIN = 120  # seconds; a busy small machine needs about 20


def demo() -> int:
    """Run until Ctrl-C; return the exit code."""
    host = os.environ.get("HOST") or "127.0.0.1"
    with FolderLock(LOCAL) as lock, port.listen(host, os.environ.get("PORT")) as listener:
        lock.publish(port.url(listener))
        say(f"Starting Revampd at {port.url(listener)}")
        with Processes(keep_open=[lock.fileno()]) as processes:
            try:
                Demo(processes, listener, host).run()
            except Interrupted as interrupted:
                say(f"\n{interrupted}: stopping ...")
    say("Stopped. The demo's data stays; ./run.py reset forgets it.")
    return 0


class Demo:
    """The order of starting. Stopping is the reverse, done by Processes."""

    def __init__(self, processes: Processes, listener: socket.socket, host: str) -> None:
        self._processes = processes
        self._listener = listener
        self._url = port.url(listener)
        self._host = host
        self._postgres = Postgres(LOCAL, processes)
        self._valkey = Valkey(LOCAL, processes)
        self._worker_ready = LOCAL / "worker-ready"
        self._env = self._environment()

    def run(self) -> None:
        """Start everything in order and watch it until somebody interrupts or something ends."""
        started = time.monotonic()
        collection = self._begin_to_collect()  # needs no database, only time
        with progress("Starting PostgreSQL and Valkey"):
            self._start_servers()
        with progress("Bringing the database up to date"):
            self._finish(self._begin("migrate", "--verbosity=0"))
        with progress("Preparing the demo's companies"):
            told = self._finish(self._begin("seed_demo"))
        if told:
            say(indent(told.rstrip(), "    "))
        if collection:
            with progress("Collecting static files"):
                self._finish(collection)
                static.mark_current()
        with progress("Starting worker, scheduler and web"):
            self._start_product()
        self._greet(time.monotonic() - started)
        self._processes.wait_until(lambda: False, "the end", float("inf"))

    def _environment(self) -> dict[str, str]:
        own = {
            "DJANGO_SETTINGS_MODULE": "revampd.settings",
            "PYTHONUNBUFFERED": "1",
            "REVAMPD_MODE": "demo",
            "REVAMPD_SECRET_KEY": secret_key(LOCAL / "secret-key"),
            "REVAMPD_DATABASE_URL": self._postgres.url(),
            "REVAMPD_DATABASE_OWNER_URL": self._postgres.url(OWNER),
            "REVAMPD_REDIS_URL": self._valkey.url(),
            "REVAMPD_BASE_URL": self._url,
            "REVAMPD_LOCAL_DIR": str(LOCAL),
            "REVAMPD_WORKER_READY_FILE": str(self._worker_ready),
        }
        if not os.environ.get("REVAMPD_ALLOWED_HOSTS"):
            own["REVAMPD_ALLOWED_HOSTS"] = self._allowed_hosts()
        return dict(os.environ) | own

    def _allowed_hosts(self) -> str:
        if self._host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            return "*"
        return f"127.0.0.1,localhost,[::1],{self._host}"

    def _start_servers(self) -> None:
        self._postgres.start()
        self._valkey.start()
        self._postgres.wait()
        self._valkey.wait()

    def _begin_to_collect(self) -> Child | None:
        if static.is_current():
            return None
        return self._begin("collectstatic", "--clear", "--no-input", "--verbosity=0")

    def _begin(self, command: str, *options: str) -> Child:
        """Start a management command; its output goes to a file of its own."""
        with command_log(command).open("wb") as log:
            line = [*MANAGE, command, *options]
            return self._processes.start(command, line, env=self._env, stdout=log, lasting=False)

    def _finish(self, command: Child) -> str:
        """Wait for a management command and return what it had to tell."""
        log = command_log(command.name)
        if self._processes.finish(command):
            raise Failed(f"manage.py {command.name} failed:\n{last_lines(log, 40)}")
        return log.read_text()

    def _start_product(self) -> None:
        self._worker_ready.unlink(missing_ok=True)
        self._start_worker()
        self._start_beat()
        self._start_web()
        self._processes.wait_until(self._ready, "Revampd", READY_WITHIN)

    def _start_worker(self) -> None:
        options = ["--concurrency=2", "--loglevel=warning", "--without-gossip", "--without-mingle"]
        command = [*CELERY, "worker", *options]
        # The demo of somebody who is root runs as root; Celery's page of warning would not help.
        env = self._env | {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
        self._processes.start("worker", command, env=env, patience=15)

    def _start_beat(self) -> None:
        options = [f"--schedule={LOCAL / 'beat-schedule'}", "--pidfile=", "--loglevel=warning"]
        self._processes.start("beat", [*CELERY, "beat", *options], env=self._env)

    def _start_web(self) -> None:
        number = self._listener.fileno()
        options = [f"--bind=fd://{number}", "--worker-class=gthread", "--workers=2", "--threads=4"]
        options += ["--log-level=warning", "--graceful-timeout=5", "--no-control-socket"]
        self._processes.start("web", [*GUNICORN, *options], env=self._env, pass_fds=[number])

    def _ready(self) -> bool:
        return self._worker_ready.exists() and first_page_answers(self._listener)

    def _greet(self, seconds: float) -> None:
        say(f"\nRevampd is running: {self._url}  (after {seconds:.0f} s)")
        say("Sign in as any of the people on the login page. Ctrl-C stops everything.")
        if self._allowed_hosts() == "*":
            say("Everybody who reaches this machine can do so: HOST is open to the network.")
        say("")


def command_log(command: str) -> Path:
    return LOCAL / f"{command}.log"


def first_page_answers(listener: socket.socket) -> bool:
    """Tell whether GET / is answered, be it by a redirect; raise Failed on a server error."""
    host, number = port.url(listener).removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host.strip("[]"), int(number), timeout=5)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if status >= 400:
        raise Failed(f"the first page answers {status}; the lines above say why")
    return True


def secret_key(path: Path) -> str:
    """Return the demo's own key: kept, so that a restart signs nobody out."""
    path.touch(mode=0o600)
    if not path.read_text():
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
