"""Lists as CSV: streamed row by row, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from revampd.kit.money import Money

# What a spreadsheet would take for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"  # Spreadsheets take UTF-8 for something else without it.
AT_ONCE = 200  # rows a piece: fewer writes than rows


def csv_response(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """`rows` as a download called after `name`, written while they are read.

    Money becomes a plain number (its currency belongs into a column of its own), days and instants
    (UTC) are ISO 8601, None is empty. Texts that a spreadsheet would run get an apostrophe.
    """
    response = StreamingHttpResponse(_pieces(columns, rows), content_type="text/csv; charset=utf-8")
    file_name = f"{slugify(name) or 'list'}.csv"
    response["Content-Disposition"] = str(content_disposition_header(True, file_name))
    return response


def _pieces(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(columns)
    yield MARK + lines.taken()
    for number, row in enumerate(rows, start=1):
        writer.writerow(map(cell, row))
        if number % AT_ONCE == 0:
            yield lines.taken()
    yield lines.taken()


class _Lines:
    """Where the csv module writes to, and what is taken from there piece by piece."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        self._lines.append(line)

    def taken(self) -> str:
        text, self._lines = "".join(self._lines), []
        return text


def cell(value: Any) -> str:
    """A value as it stands in a file."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.decimal
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return str(value)
