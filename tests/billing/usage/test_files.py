"""Files of usage: every bad row is named, none is half-imported, many ask as little as one."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from billing.imports import UsageFile, UsageImport
from billing.models import UsageRecord
from connections.models import Event
from revampd.kit.errors import Invalid
from revampd.kit.money import Money
from revampd.kit.sheets import MAX_BYTES, MAX_ROWS, BadRows
from revampd.kit.uploads import UploadGone, keep, kept
from tests.billing.acts import NOW, TODAY, agree, noon
from tests.billing.usage.counting import (
    BOOKING,
    HEADER,
    TRANSFER,
    enter,
    file_of,
    many_rows,
    metered,
)
from tests.factories import customers

GOOD = "booking,2026-11-10,3,B-1"


@pytest.fixture
def bluebird(cast):
    """Bluebird, with a plan that charges by number since 1 November."""
    agree(cast, metered(cast), at=noon(2026, 11, 1))
    return cast.northwind_bluebird


@pytest.fixture
def importing(cast, bluebird):
    """`importing(content)` is Noah's import of it for Bluebird."""

    def read(content: bytes) -> UsageImport:
        return UsageImport(UsageFile(content, bluebird), cast.noah, NOW)

    return read


class TestReading:
    def test_takes_the_columns_in_any_order(self, importing):
        content = file_of("k-1,2026-11-10,transfer,7", header="key,day,measure,quantity")

        entry = importing(content).file.entries[0]

        assert (entry.measure, entry.used_on, entry.quantity) == (TRANSFER, TODAY, 7)
        assert entry.key == "k-1"

    @pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_takes_utf_8_with_or_without_a_mark(self, importing, line_end, mark):
        content = mark + line_end.join([HEADER, "booking,2026-11-10,3,Äpfel"]).encode()

        assert importing(content).enter() == 1
        assert UsageRecord.objects.get().key == "Äpfel"

    def test_takes_quoted_fields_and_leaves_empty_lines_out(self, importing):
        content = file_of("", '"booking","2026-11-10","3","B, ""one"""', "")

        found = importing(content)

        assert found.file.lines == [3]
        assert found.file.entries[0].key == 'B, "one"'

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "Missing columns: measure, day, quantity, key."),
            (b"\xff\xfeb\0o\0", "Line 1 is not UTF-8. Save the file as “CSV UTF-8”."),
            (file_of("booking,2026-11-10,3,K").replace(b"K", b"\xe4"), "Line 2 is not UTF-8."),
            (file_of("booking,2026-11-10,3,\0"), "Line 2 is not text."),
            (file_of(GOOD, header="measure,day,key"), "Missing columns: quantity."),
            (file_of(GOOD, header=f"{HEADER},price"), "Unknown columns: “price”."),
            (file_of(GOOD, header=f"{HEADER},day"), "Columns that stand there twice: day."),
            (file_of(GOOD, header=HEADER.replace(",", ";")), "Unknown columns: “measure;day;"),
            (file_of(), "The file has no rows below its header."),
            (file_of(GOOD, 'booking,2026-11-10,3,"B-2'), "Line 3 cannot be read"),
            (file_of('booking,2026-11-10,3,"B"2'), "Line 2 cannot be read"),
            (b"x" * (MAX_BYTES + 1), "The file is larger than 2 MB."),
            (many_rows(MAX_ROWS + 1), "Import at most 10,000 rows at once."),
        ],
    )
    def test_refuses_what_is_no_such_file(self, importing, content, sentence):
        with pytest.raises(Invalid) as refusal:
            importing(content)

        assert refusal.value.field == "file"
        assert sentence in refusal.value.sentence


BAD_ROWS = [
    ("bookings,2026-11-10,3,B-2", "Line 3, measure: Enter booking or transfer."),
    (",2026-11-10,3,B-2", "Line 3, measure: Enter booking or transfer."),
    ("booking,2026-02-30,3,B-2", "Line 3, day: Enter a day that exists, like 2026-12-01."),
    ("booking,10.11.2026,3,B-2", "Line 3, day: Enter a day that exists, like 2026-12-01."),
    ("booking,20261110,3,B-2", "Line 3, day: Enter a day that exists, like 2026-12-01."),
    ("booking,2026-11-11,3,B-2", "Line 3, day: 11 Nov 2026 has not come yet."),
    ("booking,2026-10-31,3,B-2", "Line 3, day: No plan ran on 31 Oct 2026."),
    ("booking,2026-11-10,0,B-2", "Line 3, quantity: Enter a number from 1 to 10,000."),
    ("booking,2026-11-10,10001,B-2", "Line 3, quantity: Enter a number from 1 to 10,000."),
    ("booking,2026-11-10,-3,B-2", "Line 3, quantity: Enter a whole number, like 5."),
    ("booking,2026-11-10,3.0,B-2", "Line 3, quantity: Enter a whole number, like 5."),
    ("booking,2026-11-10,1_000,B-2", "Line 3, quantity: Enter a whole number, like 5."),
    ("booking,2026-11-10,٣,B-2", "Line 3, quantity: Enter a whole number, like 5."),
    ("booking,2026-11-10,,B-2", "Line 3, quantity: Enter a whole number, like 5."),
    ("booking,2026-11-10,3,", "Line 3, key: Enter a key of letters, digits and signs."),
    (f"booking,2026-11-10,3,{'K' * 101}", "Line 3, key: Keep the key under 101 characters."),
    ("booking,2026-11-10,3,B-1", "Line 3, key: The key “B-1” stands there twice."),
    ("booking,2026-11-10,3", "Line 3: has 3 fields instead of 4."),
    ("booking,2026-11-10,3,B-2,more", "Line 3: has 5 fields instead of 4."),
]


class TestBadRows:
    @pytest.mark.parametrize(("row", "sentence"), BAD_ROWS)
    def test_is_named_by_line_and_column_and_nothing_is_entered(self, importing, row, sentence):
        found = importing(file_of(GOOD, row, "booking,2026-11-10,3,B-9"))

        assert [str(problem) for problem in found.problems] == [sentence]
        with pytest.raises(BadRows) as refusal:
            found.enter()
        assert [str(problem) for problem in refusal.value.problems] == [sentence]
        assert not UsageRecord.objects.exists()

    def test_are_all_named_at_once_in_the_order_of_the_file(self, importing):
        content = file_of("x,y,z,B-1", GOOD, "booking,2026-11-11,3,B-2", "transfer,2026-11-10,3")

        found = importing(content)

        assert [(p.line, p.column) for p in found.problems] == [
            *((2, "measure"), (2, "day"), (2, "quantity"), (4, "day"), (5, "")),
        ]

    def test_counts_the_lines_of_the_file_and_not_its_rows(self, importing):
        content = file_of('booking,2026-11-10,3,"two\nlines"', GOOD, "x,2026-11-10,3,B-2")

        assert [problem.line for problem in importing(content).problems] == [2, 5]

    def test_names_a_key_that_stands_for_something_else(self, cast, importing):
        enter(cast, 5, key="B-1")

        found = importing(file_of(GOOD))

        assert str(found.problems[0]) == (
            "Line 2, key: The key “B-1” was used before for 5 bookings on 10 Nov 2026; "
            "this differs in the number."
        )

    def test_names_what_became_wrong_after_the_preview(self, cast, importing):
        found = importing(file_of(GOOD))
        assert found.problems == []
        enter(cast, 5, key="B-1")

        with pytest.raises(BadRows, match="Line 2, key"):
            found.enter()
        assert UsageRecord.objects.count() == 1


class TestPreview:
    def test_says_what_it_comes_to_and_enters_nothing(self, importing):
        content = file_of(GOOD, "booking,2026-11-01,1,B-2", "transfer,2026-11-10,10,T-1")

        found = importing(content)

        assert [(one.measure, one.count, one.cost) for one in found.counted] == [
            (BOOKING, 4, Money(8_00)),
            (TRANSFER, 10, Money(7_50)),
        ]
        assert found.totals == [Money(15_50)]
        assert not UsageRecord.objects.exists()

    def test_leaves_out_what_is_known_already(self, cast, importing):
        enter(cast, 3, key="B-1")

        found = importing(file_of(GOOD, "booking,2026-11-10,2,B-2"))

        assert (len(found.batch.known), found.totals) == (1, [Money(4_00)])
        assert found.enter() == 1


class TestEntering:
    def test_twice_is_as_good_as_once(self, importing):
        content = file_of(GOOD, "transfer,2026-11-10,10,T-1")

        assert [importing(content).enter(), importing(content).enter()] == [2, 0]
        assert UsageRecord.objects.count() == 2
        assert Event.objects.filter(code="usage.recorded").count() == 1

    def test_of_ten_thousand_rows_takes_as_many_queries_as_of_one(self, importing):
        with CaptureQueriesContext(database) as few:
            found = importing(file_of(GOOD))
            assert found.problems == []
            found.enter()
        content = many_rows(MAX_ROWS)

        with CaptureQueriesContext(database) as many:
            found = importing(content)
            assert found.problems == []
            assert found.enter() == MAX_ROWS

        assert len(many) == len(few)

    def test_for_staff_names_the_connection_of_each_row(self, cast, bluebird):
        header = f"connection,{HEADER}"
        content = file_of(f"{bluebird.pk},{GOOD}", header=header)

        assert UsageImport(UsageFile(content), cast.rhea, NOW).enter() == 1

    @pytest.mark.parametrize(
        ("connection", "sentence"),
        [
            ("none", "Line 2, connection: Enter the id of a connection."),
            (
                "00000000-0000-4000-8000-000000000000",
                "Line 2, connection: There is no such connection.",
            ),
        ],
    )
    def test_for_staff_names_a_connection_that_is_none(self, cast, connection, sentence):
        content = file_of(f"{connection},{GOOD}", header=f"connection,{HEADER}")

        found = UsageImport(UsageFile(content), cast.rhea, NOW)

        assert [str(problem) for problem in found.problems] == [sentence]

    def test_costs_the_same_for_many_connections(self, cast, bluebird):
        header = f"connection,{HEADER}"
        others = [c.pk for c in customers(cast.northwind, 40)]

        def queries(ids: list[object]) -> int:
            content = file_of(*(f"{pk},{GOOD}" for pk in ids), header=header)
            with CaptureQueriesContext(database) as captured:
                _ = UsageImport(UsageFile(content), cast.rhea, NOW).problems
            return len(captured)

        assert queries([bluebird.pk]) == queries([bluebird.pk, *others])


class TestKept:
    def test_is_given_back_to_the_same_person_for_the_same_connection(self, cast):
        digest = keep(b"rows", cast.noah, cast.northwind_bluebird.pk)

        assert kept(digest, cast.noah, cast.northwind_bluebird.pk) == b"rows"

    def test_is_not_there_for_anybody_else(self, cast):
        digest = keep(b"rows", cast.noah, cast.northwind_bluebird.pk)

        for person, scope in (
            (cast.maya, cast.northwind_bluebird.pk),
            (cast.noah, cast.revampd_northwind.pk),
        ):
            with pytest.raises(UploadGone):
                kept(digest, person, scope)

    @pytest.mark.parametrize("digest", ["", "forged", "0" * 64, "a b\n", "x" * 9_000])
    def test_is_not_there_for_a_hash_of_nothing(self, cast, digest):
        with pytest.raises(UploadGone):
            kept(digest, cast.noah, cast.northwind_bluebird.pk)
