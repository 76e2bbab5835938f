"""Lists as CSV: streamed row by row, whatever their length, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from revampd.kit.money import Money

# A spreadsheet would run what begins with one of these.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ROWS_A_CHUNK = 200


def csv_download(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """`rows` as the file `name`, each written when the one before has gone out.

    Amounts are decimals without a currency, days are ISO dates, None is empty.
    """
    response = StreamingHttpResponse(
        _chunks(headings, rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = str(content_disposition_header(True, name))
    return response


class _Echo:
    """A file for the csv module that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _chunks(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    # Excel takes the mark of byte order for the encoding, and guesses a wrong one without it.
    lines = ["\ufeff", writer.writerow(headings)]
    for row in rows:
        lines.append(writer.writerow([cell(value) for value in row]))
        if len(lines) >= ROWS_A_CHUNK:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def cell(value: Any) -> str:
    """What stands in the file for `value`."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.decimal
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
