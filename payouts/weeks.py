"""The weeks in which earnings are paid out, half-open, from the day that the settings name."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings
from psycopg import sql

WEEK = timedelta(days=7)


def week_of(day: date) -> date:
    """The first day of the week that `day` is in."""
    return day - timedelta(days=(day.weekday() - settings.PAYOUT_WEEKDAY) % 7)


def weeks_until(day: date, number: int) -> Iterator[date]:
    """The first days of `number` weeks, the last of which `day` is in."""
    last = week_of(day)
    yield from (last - WEEK * back for back in range(number - 1, -1, -1))


def week_in_sql(day: str) -> sql.Composed:
    """`week_of` for statements: `day` is an expression, and %(weekday)s a parameter of them."""
    rule = "({day} - (extract(isodow FROM {day})::int + 6 - %(weekday)s) %% 7)"
    return sql.SQL(rule).format(day=sql.SQL(day))
