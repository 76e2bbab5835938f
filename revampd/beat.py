"""Beat, once: of all that are started, one sends; the others wait until it is gone.

Whoever holds an advisory lock of the database is the one. It lives as long as the session that took
it: a beat that dies, or loses its database, lets go, and the next one takes over within seconds.
Two beats would do no harm, as every task can run twice at once; it would only be work for nothing.
"""

import logging
from typing import Any

from celery.beat import PersistentScheduler
from django.db import DatabaseError, connections

from revampd.kit.metrics import BEAT

# "beat" in ASCII; anything that nobody else takes.
KEY = 0x62656174
# Seconds between two looks of one that waits.
AGAIN = 5

log = logging.getLogger(__name__)


class OneBeat(PersistentScheduler):
    """Celery's own scheduler, which sends only while this process holds the lock."""

    is_the_one = False

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due if we may. Returns the seconds to sleep."""
        was, self.is_the_one = self.is_the_one, holds()
        BEAT.set(self.is_the_one)
        if self.is_the_one != was:
            log.warning("This beat sends" if self.is_the_one else "This beat waits")
        if not self.is_the_one:
            return AGAIN
        return min(super().tick(*args, **kwargs), AGAIN)


def holds() -> bool:
    """Whether this process has the lock, which it tries to take."""
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
                " AND classid = 0 AND objid = %s AND pid = pg_backend_pid() AND granted",
                [KEY],
            )
            if cursor.fetchone()[0]:
                return True
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
            return bool(cursor.fetchone()[0])
    except DatabaseError:
        connection.close()
        return False
