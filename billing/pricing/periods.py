"""The calendar of billing: half-open periods, always counted from their origin."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.db.models import TextChoices


class Interval(TextChoices):
    MONTH = "MONTH", "month"
    YEAR = "YEAR", "year"

    @property
    def months(self) -> int:
        return 12 if self is Interval.YEAR else 1

    @property
    def adverb(self) -> str:
        return "yearly" if self is Interval.YEAR else "monthly"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start`, up to but without `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __str__(self) -> str:
        return span(self.start, self.end)


def boundary(anchor: date, interval: Interval, number: int) -> date:
    """The start of period `number`, always counted from the origin: 31 Jan, 28 Feb, 31 Mar."""
    years, month = divmod(anchor.month - 1 + number * interval.months, 12)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def period_on(anchor: date, interval: Interval, day: date) -> Period:
    """The period that contains `day`. Raises ValueError for a day before `anchor`."""
    return _period_on(anchor, interval, day)


# The same few dates come back for every customer of a billing run.
@lru_cache(maxsize=4096)
def _period_on(anchor: date, interval: Interval, day: date) -> Period:
    if day < anchor:
        raise ValueError(f"{day} is before the first period, which starts on {anchor}")
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    number = months // interval.months
    # It may begin later in the month than `day`: 31 January to 28 February is not yet a month.
    if boundary(anchor, interval, number) > day:
        number -= 1
    return Period(boundary(anchor, interval, number), boundary(anchor, interval, number + 1))


@lru_cache(maxsize=4096)
def span(start: date, end: date) -> str:
    """A half-open period as people read it, with its last day: "1 Dec – 31 Dec 2026"."""
    last = end - timedelta(days=1)
    if last <= start:
        return _day(start)
    first = f"{start.day} {start:%b}" if start.year == last.year else _day(start)
    return f"{first} – {_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
