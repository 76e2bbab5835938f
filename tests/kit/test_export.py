"""CSV: streamed, and safe to open in a spreadsheet."""

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime
from itertools import islice

import pytest

from revampd.kit.export import AT_ONCE, MARK, cell, csv_response
from revampd.kit.money import Money


class TestCell:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_guards_what_a_spreadsheet_would_run(self, text):
        assert cell(text) == f"'{text}"

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Money(-12_50), "-12.50"),
            (Money(1250, "JPY"), "1250"),
            (-3, "-3"),
            (date(2026, 12, 1), "2026-12-01"),
            (datetime(2026, 12, 1, 9, 30, 5, 7, UTC), "2026-12-01T09:30:05+00:00"),
            (None, ""),
            ("Growth, monthly", "Growth, monthly"),
        ],
    )
    def test_leaves_what_we_write_ourselves(self, value, written):
        assert cell(value) == written


class TestCsvResponse:
    def test_is_a_download_that_spreadsheets_read(self):
        rows = [('Bluebird "Clinic"', "two\nlines"), ("Zoë; 東京", "=cmd()")]

        response = csv_response("Invoices Zoë & Co. / 2026", ("Name", "Note"), rows)

        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="invoices-zoe-co-2026.csv"'
        text = response.getvalue().decode()
        assert text.startswith(MARK)
        assert list(csv.reader(io.StringIO(text[1:]))) == [
            ["Name", "Note"],
            ['Bluebird "Clinic"', "two\nlines"],
            ["Zoë; 東京", "'=cmd()"],
        ]

    def test_reads_rows_only_as_they_are_sent(self):
        read = []
        rows = (read.append(n) or (n,) for n in range(10_000))

        pieces = iter(csv_response("List", ("Number",), rows))
        [begun] = islice(pieces, 1)

        assert begun.startswith(f"{MARK}Number\r\n0\r\n".encode())
        assert len(read) < AT_ONCE

    def test_needs_no_more_memory_for_more_rows(self):
        def peak(count: int) -> int:
            tracemalloc.start()
            for _ in csv_response("List", ("Text",), (("x" * 100,) for _ in range(count))):
                pass
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        assert peak(50_000) < 2 * peak(1_000)
