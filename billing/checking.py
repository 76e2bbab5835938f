"""Checking the books, with progress: every night, and whenever staff ask for it."""

import logging
from collections.abc import Callable
from datetime import datetime

from .books import compare, comparisons, totals
from .models import BooksCheck

log = logging.getLogger(__name__)


def check_books(*, at: datetime) -> BooksCheck:
    """Compare everything, and keep what was found; staff are told of differences."""
    check = BooksCheck.objects.create(checked_at=at)
    _carry_out(check, lambda: at)
    return check


def check_asked(now: Callable[[], datetime]) -> int:
    """Carry out the checks that staff have asked for, each by one worker. Returns how many."""
    done = 0
    for check in BooksCheck.objects.filter(finished_at=None, comparisons=0).order_by("pk"):
        done += _carry_out(check, now)
    return done


def _carry_out(check: BooksCheck, now: Callable[[], datetime]) -> bool:
    """False if another worker has it in hand. What fails is noted on it, and raised."""
    books = comparisons()
    if not check.take(len(books)):
        return False
    found = []
    try:
        for number, one in enumerate(books, start=1):
            found += compare(one)
            check.go_on(number)
        check.finish(found, totals(), at=now())
    except Exception as error:
        check.fail(f"{type(error).__name__}: {error}", at=now())
        raise
    return True
