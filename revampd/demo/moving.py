"""Moves the demo's clock day by day, and lets the product do on each day what is due.

Every step commits and can be repeated: clocks never go back, the work finds what is left to do,
and the move says how far it has come. Whoever dies on the way is followed by the next sweep.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import OperationalError, connection
from django.utils import timezone

from notifications.draining import drain_events
from revampd.kit.doorbell import ring_on_commit
from revampd.models import MOVE_TASK, ClockMove

from .work import work

ROUND = 31  # days at a time: other tasks want the worker too
TURN = 20_472  # the advisory lock of two workers that take the same move

log = logging.getLogger(__name__)


def go_on() -> int:
    """Take the move that is under way further, for a month at most. Returns how many days."""
    with _turn() as is_ours:
        move = ClockMove.objects.under_way().select_related("connection").first()
        if move is None or not is_ours:
            return 0
        days = _travel(move)
    if move.is_under_way:
        ring_on_commit(MOVE_TASK)
    return days


@contextmanager
def _turn() -> Iterator[bool]:
    """Whether this worker may move the clock; PostgreSQL frees the turn of one that dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [TURN])
        [is_ours] = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [TURN])


def _travel(move: ClockMove) -> int:
    days = 0
    while (day := move.next_day) and days < ROUND:
        try:
            _live_through(move, day)
        except OperationalError:
            raise  # The database went away or was busy: the next sweep tries again.
        except Exception as error:
            log.exception("The demo's clock stops on %s", day)
            move.finish(now=timezone.now(), problem=_in_words(error))
            return days
        days += 1
    if move.next_day is None:
        move.finish(now=timezone.now())
    return days


def _live_through(move: ClockMove, day: date) -> None:
    """Let `day` come and do all that is due on it."""
    for moved in ClockMove.moved(move.connection):
        moved.advance(day, now=timezone.now())
    work(timezone.now())
    drain_events()
    move.reach(day)


def _in_words(error: Exception) -> str:
    reasons = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return "; ".join(f"{type(reason).__name__}: {reason}" for reason in reasons)
