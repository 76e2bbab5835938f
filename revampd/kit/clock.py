"""What time it is for the product: real time, and in a demo as much later as its clock was moved.

Two times go through the code, and both are aware datetimes:

    clock.now()      what the product calls now: views, forms and templates ask for it. The door
                     sets how far it is ahead, see connections/clocks.py.
    timezone.now()   real time. Sign-in, sessions, rate limits, mail and the workers' queues go by
                     it; tasks pass it on, and each connection adds how far it is ahead itself.

Outside a demo nothing is ever ahead, and the two are the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.utils import timezone

_ahead: ContextVar[timedelta] = ContextVar("ahead", default=timedelta(0))


def now() -> datetime:
    """Now, as the product sees it in the present context."""
    return timezone.now() + _ahead.get()


def ahead() -> timedelta:
    """How far the present context is ahead of real time."""
    return _ahead.get()


@contextmanager
def ahead_by(distance: timedelta) -> Iterator[None]:
    """Inside the block it is `distance` later than in reality, whatever was around it.

    Raises ValueError for a negative distance: the clock of the product is never behind.
    """
    if distance < timedelta(0):
        raise ValueError(f"the clock cannot be behind by {-distance}")
    token = _ahead.set(distance)
    try:
        yield
    finally:
        _ahead.reset(token)
