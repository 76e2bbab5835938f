"""Whether this process can do its work: what it needs is there, and is what it expects."""

from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis, RedisError

OK = "ok"
PATIENCE = 2  # seconds


@dataclass(frozen=True)
class Readiness:
    """Each thing that is needed, with "ok" or what is wrong with it."""

    database: str
    migrations: str
    broker: str

    @property
    def is_ready(self) -> bool:
        return self.database == self.migrations == OK

    @property
    def states(self) -> dict[str, str]:
        return {**vars(self)}


def ready() -> Readiness:
    """Ask everything once."""
    database = _database()
    if database != OK:
        return Readiness(database, "unknown", "unknown")
    return Readiness(database, _migrations(), _broker())


def _database() -> str:
    """Asked over a connection of its own. On a host that was cut off, the one that is kept for
    pages waits a minute before it gives up, and whoever asks has gone by then.
    """
    own = connection.copy()
    own.settings_dict["OPTIONS"] |= {
        "connect_timeout": PATIENCE,
        "tcp_user_timeout": PATIENCE * 1000,
    }
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    finally:
        own.close()
    return OK


def _migrations() -> str:
    """An older process beside a newer schema is ready: that is how an upgrade goes."""
    if not _waiting():
        return OK
    return "not applied: run manage.py migrate"


def _waiting() -> bool:
    """Whether a migration that this code knows has not been applied. Once applied, it stays so."""
    if not _applied:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return True
        _applied.append(True)
    return False


_applied: list[bool] = []


def _broker() -> str:
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
        ) as broker:
            broker.ping()
    except (RedisError, OSError):
        return "does not answer; work goes on more slowly"
    return OK
