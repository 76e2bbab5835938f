"""How a page reads large tables: how often it asks, and what it looks through as a whole."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext


@dataclass(frozen=True)
class Reading:
    """What one request asked of the database.

    `whole` says how often a table was read from the first row to the last, by its name. PostgreSQL
    counts that for the present transaction: it is the same however busy the machine is. The planner
    goes by statistics, so a test has to gather them first.
    """

    page: Any
    questions: int
    whole: dict[str, int]


def reading(browser: Any, path: str) -> Reading:
    with transaction.atomic():
        before = _scans()
        with CaptureQueriesContext(connection) as captured:
            page = browser.get(path)
        scans = {table: number - before.get(table, 0) for table, number in _scans().items()}
    whole = {table: number for table, number in scans.items() if number}
    return Reading(page, len(captured), whole)


def _scans() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, seq_scan FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())
