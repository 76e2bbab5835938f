"""CSV that no spreadsheet runs."""

from datetime import date

import pytest

from revampd.kit.export import ROWS_A_CHUNK, cell, csv_download
from revampd.kit.money import Money


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("+49", "'+49"),
        ("\t=1", "'\t=1"),
        ("plain = fine", "plain = fine"),
        (Money(-4_50), "-4.50"),
        (Money(500, "JPY"), "500"),
        (date(2026, 11, 9), "2026-11-09"),
        (7, "7"),
        (None, ""),
    ],
)
def test_a_cell_is_text_and_never_a_formula(value, text):
    assert cell(value) == text


def test_rows_are_asked_for_as_they_go_out():
    taken = []

    def rows():
        for number in range(10 * ROWS_A_CHUNK):
            taken.append(number)
            yield [number, 'say "hi", twice']

    chunks = iter(csv_download("list.csv", ["Number", "Words"], rows()).streaming_content)

    first = next(chunks).decode("utf-8-sig")
    assert first.startswith('Number,Words\r\n0,"say ""hi"", twice"\r\n')
    assert len(taken) < 2 * ROWS_A_CHUNK
