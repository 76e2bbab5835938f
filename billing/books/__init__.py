"""Whether the books agree: the ledger with the documents, and every line with its approval.

The database compares, set by set; what comes back are sentences on what differs. A comparison is
one statement, so it sees one moment, also while invoices are issued and paid.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils.module_loading import import_string

from connections.models import Connection

from . import accounts, documents, lines, lots, numbers, periods, sums
from .comparison import Comparison

__all__ = ["COMPARISONS", "differences"]

# What explains most comes first: a wrong document also makes the accounts differ.
COMPARISONS: tuple[Comparison, ...] = (
    documents.TRANSFERS,
    *sums.KEPT,
    lots.ORDER,
    *lines.APPROVED,
    lines.USAGE,
    *numbers.GAPLESS,
    periods.TILED,
    accounts.CONTROL,
)


def differences(connections: Iterable[Connection] | None = None) -> list[str]:
    """A sentence for each difference in the books of `connections`, of all if None.

    The first is the closest to the cause. Of one comparison they are 100 at most, followed by how
    many more there are.
    """
    owners: list[Any] | None = None
    if connections is not None:
        owners = [key for one in connections for key in (one.pk, one.provider_id)]
    found: list[str] = []
    for comparison in _comparisons():
        with transaction.atomic(), database.cursor() as cursor:
            # It reads whole tables, which may take longer than a page is given.
            cursor.execute("SET LOCAL statement_timeout = '5min'; SET LOCAL work_mem = '64MB'")
            found += comparison.run(cursor, owners)
    return found


def _comparisons() -> list[Comparison]:
    """Those of every app that books: the settings list them, since none of them is known here."""
    return [one for place in settings.BOOKS for one in import_string(place)]
