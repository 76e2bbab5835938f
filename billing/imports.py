"""Files of usage: read strictly, shown before they count, entered as a whole or not at all."""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.core.cache import cache

from connections.models import Connection, User
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.money import Money, total

from .models import UsageRecord
from .models.batches import Batch, Objection, UsageRefused
from .models.entries import UsageEntry
from .models.usage import Counted
from .pricing import Measure

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 10_000
KEPT = 60 * 60  # seconds between the preview and the confirmation

COLUMNS = ("measure", "day", "quantity", "key")
COLUMN_OF = {"used_on": "day", "connection_id": "connection"}
MEASURES = {measure.label: measure for measure in Measure}

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: its line in the file, its column ("" for all of it), in words."""

    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        where = f"Line {self.line}, {self.column}" if self.column else f"Line {self.line}"
        return f"{where}: {self.sentence}"


class BadRows(Invalid):
    """Rows that cannot be entered, so that none was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems[0]), field="file")
        self.problems = problems


class UploadGone(Conflict):
    """What was uploaded is kept for an hour."""


class UsageFile:
    """The rows of a CSV file, for `connection` or, if it is None, each for the one it names.

    Raises Invalid for what is no such file; what is wrong with single rows is in `problems`.
    """

    def __init__(self, content: bytes, connection: Connection | None = None) -> None:
        self.connection = connection
        self.columns = COLUMNS if connection else ("connection", *COLUMNS)
        self.entries: list[UsageEntry] = []
        self.lines: list[int] = []
        self.problems: list[Problem] = []
        rows = _rows(_text(content))
        order = self._order(next(rows, (1, []))[1])
        for line, values in rows:
            if len(self.lines) + len(self.problems) >= MAX_ROWS:
                raise Invalid(f"Import at most {MAX_ROWS:,} rows at once.", field="file")
            self._take(line, values, order)
        if not self.lines and not self.problems:
            raise Invalid("The file has no rows below its header.", field="file")

    def _order(self, header: list[str]) -> list[str]:
        """The columns in the order of the file."""
        found = [name.strip().lower() for name in header]
        twice = {name for name in found if found.count(name) > 1}
        complaints = {
            "Missing columns": [name for name in self.columns if name not in found],
            "Unknown columns": [f"“{n[:40]}”" for n in found if n not in self.columns],
            "Columns that stand there twice": sorted(twice),
        }
        said = [f"{what}: {', '.join(names)}." for what, names in complaints.items() if names]
        if said:
            wanted = ",".join(self.columns)
            raise Invalid(f"{' '.join(said)} The first line has to be {wanted}", field="file")
        return found

    def _take(self, line: int, values: list[str], order: list[str]) -> None:
        if len(values) != len(order):
            sentence = f"has {len(values)} fields instead of {len(order)}."
            self.problems.append(Problem(line, "", sentence))
            return
        cells = dict(zip(order, map(str.strip, values), strict=True))
        read, wrong = {}, []
        for column in self.columns:
            try:
                read[column] = READERS[column](cells[column])
            except ValueError as error:
                wrong.append(Problem(line, column, str(error)))
        if wrong:
            self.problems += wrong
            return
        key = self.connection.pk if self.connection else read["connection"]
        entry = UsageEntry(key, read["measure"], read["day"], read["quantity"], read["key"])
        self.entries.append(entry)
        self.lines.append(line)

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


# Between the preview and the confirmation, the file stays here; the browser holds only its hash.


def keep(content: bytes, owner: User, scope: Any) -> str:
    """Keep what `owner` uploaded for `scope`; returns the SHA-256 by which it is asked for."""
    digest = hashlib.sha256(content).hexdigest()
    cache.set(_address(digest, owner, scope), content, KEPT)
    return digest


def kept(digest: str, owner: User, scope: Any) -> bytes:
    """What was kept. Raises UploadGone for what is not there, for this person and scope."""
    content: bytes | None = cache.get(_address(digest, owner, scope))
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise UploadGone("The file is no longer here.", next_step="Upload it again.")
    return content


def _address(digest: str, owner: User, scope: Any) -> str:
    asked = hashlib.sha256(digest.encode()).hexdigest()  # whatever the browser says, it is a name
    return f"usage-upload:{owner.pk}:{scope}:{asked}"


# Reading


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Invalid("The file is larger than 2 MB.", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"Line {line} is not UTF-8. Save the file as “CSV UTF-8”.", field="file"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Invalid(f"Line {line} is not text. Save the file as “CSV UTF-8”.", field="file")
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line on which it begins; empty lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for values in reader:
            if any(values):
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        sentence = f"Line {line} cannot be read: a quotation mark is open or stands in its middle."
        raise Invalid(sentence, field="file") from error


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
