"""How long one task goes on before it makes room for others."""

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

from revampd.kit.doorbell import ring_on_commit

# Well below CELERY_TASK_TIME_LIMIT, and longer than any gateway takes to answer.
TURN = timedelta(minutes=5)


def turn(task: str) -> Iterator[None]:
    """Go round until the turn is over; `task`, which goes on from there, is asked for then."""
    end = monotonic() + TURN.total_seconds()
    while monotonic() < end:
        yield
    ring_on_commit(task)
