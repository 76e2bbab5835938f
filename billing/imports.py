"""Files of usage: read strictly, shown before they count, entered as a whole or not at all."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from connections.models import Connection, User
from revampd.kit.money import Money, total
from revampd.kit.sheets import BadRows, Problem, Sheet

from .models import UsageRecord
from .models.batches import Batch, Objection, UsageRefused
from .models.entries import UsageEntry
from .models.usage import Counted
from .pricing import Measure

COLUMNS = ("measure", "day", "quantity", "key")
COLUMN_OF = {"used_on": "day", "connection_id": "connection"}
MEASURES = {measure.label: measure for measure in Measure}

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


class UsageFile:
    """The rows of a CSV file, for `connection` or, if it is None, each for the one it names.

    Raises Invalid for what is no such file; what is wrong with single rows is in `problems`.
    """

    def __init__(self, content: bytes, connection: Connection | None = None) -> None:
        self.connection = connection
        columns = COLUMNS if connection else ("connection", *COLUMNS)
        sheet = Sheet(content, {column: READERS[column] for column in columns})
        self.lines, self.problems = sheet.lines, sheet.problems
        self.entries = [self._entry(row) for row in sheet.rows]

    def _entry(self, row: dict[str, Any]) -> UsageEntry:
        key = self.connection.pk if self.connection else row["connection"]
        return UsageEntry(key, row["measure"], row["day"], row["quantity"], row["key"])

    def located(self, objections: Sequence[Objection]) -> list[Problem]:
        """The same as problems of lines and columns."""
        return [
            Problem(self.lines[one.place], COLUMN_OF.get(one.field, one.field), one.sentence)
            for one in objections
        ]


@dataclass(frozen=True)
class UsageImport:
    """A file on its way in: what would be entered by whom, and what speaks against it."""

    file: UsageFile
    by: User
    at: datetime  # real time

    @cached_property
    def batch(self) -> Batch:
        ids = {entry.connection_id for entry in self.file.entries}
        connections = Connection.objects.filter(pk__in=ids).select_related("provider")
        rows = list(connections.order_by("pk"))
        moment = partial(Connection.own_time, now=self.at)
        return UsageRecord.read(self.file.entries, rows, by=self.by, moment=moment)

    @cached_property
    def problems(self) -> list[Problem]:
        found = [*self.file.problems, *self.file.located(self.batch.objections)]
        return sorted(found, key=lambda problem: problem.line)

    @cached_property
    def counted(self) -> list[Counted]:
        """What is new, by measure and currency, with what it will cost."""
        counts: dict[tuple[Measure, str], int] = defaultdict(int)
        costs: dict[tuple[Measure, str], list[Money]] = defaultdict(list)
        for one in self.batch.new:
            kind = (one.entry.measure, one.cost.currency)
            counts[kind] += one.entry.quantity
            costs[kind].append(one.cost)
        return [Counted(kind[0], counts[kind], total(costs[kind], kind[1])) for kind in counts]

    @property
    def totals(self) -> list[Money]:
        """What all of it will cost, one amount a currency."""
        currencies = {counted.cost.currency for counted in self.counted}
        costs = [counted.cost for counted in self.counted]
        return [total((c for c in costs if c.currency == own), own) for own in sorted(currencies)]

    @property
    def connections(self) -> int:
        """How many connections it is for."""
        return len({one.entry.connection_id for one in self.batch.new})

    def enter(self) -> int:
        """Enter all of it. Raises BadRows, and nothing of it is entered."""
        if self.file.problems:
            raise BadRows(self.problems)
        try:
            return UsageRecord.enter_all(self.file.entries, by=self.by, at=self.at)
        except UsageRefused as refusal:
            raise BadRows(self.file.located(refusal.objections)) from refusal


# Reading


def _connection(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("Enter the id of a connection.") from None


def _measure(text: str) -> Measure:
    if text not in MEASURES:
        raise ValueError(f"Enter {' or '.join(MEASURES)}.")
    return MEASURES[text]


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("Enter a day that exists, like 2026-12-01.")


def _quantity(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("Enter a whole number, like 5.")
    return int(text)


READERS: dict[str, Any] = {
    "connection": _connection,
    "measure": _measure,
    "day": _day,
    "quantity": _quantity,
    "key": str,
}
