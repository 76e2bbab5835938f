"""Tables that people send as CSV: read strictly, each mistake named by its line and column."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from revampd.kit.errors import Invalid

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 10_000

# Each turns the text of a cell into a value, or raises ValueError with a sentence.
Readers = Mapping[str, Callable[[str], Any]]


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
    """Rows that cannot be taken, so that none was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems[0]), field="file")
        self.problems = problems


class Sheet:
    """The rows of a CSV file, each value read by the reader of its column.

    The columns named in `optional` may be missing; their values are then read from "". Raises
    Invalid for what is no such file; what is wrong with single rows is in `problems`, and `lines`
    are those on which the good `rows` stand.
    """

    def __init__(self, content: bytes, readers: Readers, optional: Sequence[str] = ()) -> None:
        self.readers, self.optional = readers, optional
        self.rows: list[dict[str, Any]] = []
        self.lines: list[int] = []
        self.problems: list[Problem] = []
        rows = _rows(_text(content))
        order = self._order(next(rows, (1, []))[1])
        number = 0
        for number, (line, values) in enumerate(rows, start=1):
            if number > MAX_ROWS:
                raise Invalid(f"Import at most {MAX_ROWS:,} rows at once.", field="file")
            self._take(line, values, order)
        if not number:
            raise Invalid("The file has no rows below its header.", field="file")

    def _order(self, header: list[str]) -> list[str]:
        """The columns in the order of the file."""
        found = [name.strip().lower() for name in header]
        needed = [name for name in self.readers if name not in self.optional]
        complaints = {
            "Missing columns": [name for name in needed if name not in found],
            "Unknown columns": [f"“{n[:40]}”" for n in found if n not in self.readers],
            "Columns that stand there twice": sorted({n for n in found if found.count(n) > 1}),
        }
        said = [f"{what}: {', '.join(names)}." for what, names in complaints.items() if names]
        if said:
            said.append(f"The first line has to be {','.join(needed)}")
            if self.optional:
                said.append(f"and may have {' and '.join(self.optional)} besides")
            raise Invalid(" ".join(said), field="file")
        return found

    def _take(self, line: int, values: list[str], order: list[str]) -> None:
        if len(values) != len(order):
            sentence = f"has {len(values)} fields instead of {len(order)}."
            self.problems.append(Problem(line, "", sentence))
            return
        cells = dict(zip(order, map(str.strip, values), strict=True))
        row, wrong = {}, []
        for column, read in self.readers.items():
            try:
                row[column] = read(cells.get(column, ""))
            except ValueError as error:
                wrong.append(Problem(line, column, str(error)))
        self.problems += wrong
        if not wrong:
            self.rows.append(row)
            self.lines.append(line)


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
