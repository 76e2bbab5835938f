"""The periods by which referrers are paid: weeks or months, half-open, as the settings say."""

from datetime import date

from django.conf import settings
from psycopg import sql

from payouts.weeks import WEEK, week_in_sql, week_of


def period_of(day: date) -> date:
    """The first day of the period that `day` is in."""
    return week_of(day) if _is_weekly() else day.replace(day=1)


def next_period(start: date) -> date:
    """The first day after the period that `start` is in."""
    if _is_weekly():
        return week_of(start) + WEEK
    return date(start.year + start.month // 12, start.month % 12 + 1, 1)


def periods_until(day: date, number: int) -> list[date]:
    """The first days of `number` periods, the last of which `day` is in."""
    starts = [period_of(day)]
    while len(starts) < number:
        starts.append(period_of(date.fromordinal(starts[-1].toordinal() - 1)))
    return starts[::-1]


def period_in_sql(day: str) -> sql.Composed:
    """`period_of` for statements; %(weekday)s is a parameter of the weekly one."""
    return week_in_sql(day) if _is_weekly() else _month_in_sql(day)


def next_in_sql(day: str) -> sql.Composed:
    """`next_period` for statements."""
    if _is_weekly():
        return week_in_sql(day) + sql.SQL(" + 7")
    return sql.SQL("({} + interval '1 month')::date").format(_month_in_sql(day))


def _month_in_sql(day: str) -> sql.Composed:
    return sql.SQL("date_trunc('month', {})::date").format(sql.SQL(day))


def _is_weekly() -> bool:
    return bool(settings.AFFILIATE_PERIOD == "week")
