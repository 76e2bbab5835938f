"""Whether the books agree: the ledger with the documents, and every line with its approval.

The database compares, set by set; what comes back are sentences on what differs. A comparison is
one statement, so it sees one moment, also while invoices are issued and paid.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from connections.models import Connection

from . import accounts, documents, lines, lots, numbers, periods, sums
from .comparison import Comparison, Difference
from .equations import WALLETS, Equation

__all__ = ["COMPARISONS", "EQUATIONS", "compare", "comparisons", "differences", "totals"]

EQUATIONS: tuple[Equation, ...] = (WALLETS,)

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
    *(equation.comparison for equation in EQUATIONS),
)


def differences(connections: Iterable[Connection] | None = None) -> list[str]:
    """A sentence for each difference in the books of `connections`, of all if None.

    The first is the closest to the cause. Of one comparison they are 100 at most, followed by how
    many more there are.
    """
    owners: list[Any] | None = None
    if connections is not None:
        owners = [key for one in connections for key in (one.pk, one.provider_id)]
    return [found.sentence for one in comparisons() for found in compare(one, owners)]


def comparisons() -> list[Comparison]:
    """Those of every app that books: the settings list them, since none of them is known here."""
    return [one for place in settings.BOOKS for one in import_module(place).COMPARISONS]


def compare(one: Comparison, owners: Sequence[Any] | None = None) -> list[Difference]:
    with _patient_cursor() as cursor:
        return list(one.run(cursor, owners))


def totals() -> list[dict[str, Any]]:
    """What the equations of every app come to."""
    equations = [
        one for place in settings.BOOKS for one in getattr(import_module(place), "EQUATIONS", ())
    ]
    with _patient_cursor() as cursor:
        return [total for one in equations for total in one.totals(cursor)]


@contextmanager
def _patient_cursor() -> Iterator[Any]:
    """It reads whole tables, which may take longer than a page is given."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5min'; SET LOCAL work_mem = '64MB'")
        yield cursor
