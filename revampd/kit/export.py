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
    write = csv.writer(_Echo()).writerow
    lines = [MARK, write(columns)]
    for row in rows:
        lines.append(write([cell(value) for value in row]))
        if len(lines) >= AT_ONCE:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


class _Echo:
    """A file for the csv module that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


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
    if isinstance(value, int):
        return str(value)
    # People name themselves too: what is not a number is a text, whatever its class.
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
