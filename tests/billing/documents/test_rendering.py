"""PDF: tagged, for archives, the same bytes for the same content, whatever people typed."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pdfua
import pytest
from pypdf import PdfReader

from billing.documents import Credit, InvoiceContent, Line, Organization, Payment, render

CONTENT = InvoiceContent(
    title="Invoice",
    code="INV-00042",
    status="Open",
    tone="warn",
    issued_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    issued="24 Nov 2026",
    due="8 Dec 2026",
    period="24 Nov – 23 Dec 2026",
    provider=Organization(
        "Northwind LLC", "", "1 Pier Road\nPortland", "US-123", "pay@example.com"
    ),
    customer=Organization("Bluebird Clinic", "", "7 Elm Street\nDenver"),
    lines=(
        Line("Growth, 24 Nov – 23 Dec 2026", "1", "$149.00", "$149.00", "Approved by Ben Tester"),
        Line("5 × Phone number", "5", "$2.50", "$12.50", "Approved by Bella Tester"),
    ),
    total="$161.50",
    credits=(Credit("Partner payout, week of 16 Nov 2026", "−$20.00"),),
    payments=(Payment("25 Nov 2026", "Visa ending 4242", "−$100.00"),),
    amount_due="$41.50",
    settlement="Charged to Visa ending 4242 on 1 Dec 2026.",
    notes="Every line names the approval that allows it.",
)
HOSTILE = [
    '#panic("never")',
    "$ x $ *bold* _it_ `raw` @ref <label> // not a comment",
    '"quotes" \\ and \\u{41} #{1 + 1}',
    "Zoë Müller-Łódź",
    "חשבונית عربي",
    "Launch 🚀 day 👩‍👩‍👧",
    "日本語の会社",
    "right\u202eto left",
    "a\x00b\x07c",
    "W" * 300,
]


def reader(content: InvoiceContent) -> PdfReader:
    return PdfReader(BytesIO(render(content)))


def words(content: InvoiceContent) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in reader(content).pages)


class TestRender:
    def test_is_tagged_and_says_its_language_and_title(self):
        pdf = reader(CONTENT)

        catalog = pdf.trailer["/Root"]
        assert catalog["/MarkInfo"]["/Marked"]
        assert "/StructTreeRoot" in catalog
        assert catalog["/Lang"] == "en"
        assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
        assert pdf.metadata.title == "Invoice INV-00042"
        assert pdf.metadata.author == "Northwind LLC"
        assert pdf.metadata.creation_date == CONTENT.issued_at

    def test_is_for_archives_and_for_screen_readers(self, tmp_path):
        path = tmp_path / "invoice.pdf"
        path.write_bytes(render(CONTENT))

        metadata = PdfReader(path).trailer["/Root"]["/Metadata"].get_data().decode()
        assert "<pdfaid:part>3</pdfaid:part>" in metadata
        assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
        assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
        assert findings(path) == []

    def test_has_text_that_can_be_selected_with_the_right_amounts(self):
        text = words(CONTENT)

        for said in (
            *("Invoice INV-00042", "Northwind LLC", "Bluebird Clinic", "Tax number US-123"),
            *("24 Nov – 23 Dec 2026", "$149.00", "$12.50", "$161.50", "−$20.00", "$41.50"),
            *("Approved by Ben Tester", "Visa ending 4242", "8 Dec 2026"),
        ):
            assert said in text

    def test_gives_the_same_bytes_in_every_process(self):
        here = sha256(render(CONTENT)).hexdigest()
        program = (
            "from hashlib import sha256; from billing.documents import render;"
            "from tests.billing.documents.test_rendering import CONTENT;"
            "print(sha256(render(CONTENT)).hexdigest())"
        )
        root = Path(__file__).resolve().parents[3]

        there = subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
        )

        assert sha256(render(CONTENT)).hexdigest() == here == there.stdout.strip()

    def test_gives_other_bytes_for_another_amount(self):
        assert render(replace(CONTENT, amount_due="$41.51")) != render(CONTENT)

    def test_gives_each_thread_its_own(self):
        codes = [f"INV-{number:05d}" for number in range(24)]

        with ThreadPoolExecutor(6) as threads:
            pdfs = list(threads.map(lambda code: reader(replace(CONTENT, code=code)), codes))

        assert [pdf.metadata.title for pdf in pdfs] == [f"Invoice {code}" for code in codes]

    def test_uses_all_that_the_content_has(self):
        module = sys.modules[render.__module__]
        template = Path(str(module.__file__)).with_name("document.typ").read_text()

        unused = [f.name for f in fields(InvoiceContent) if f"data.{f.name}" not in template]

        assert unused == ["issued_at"]

    def test_goes_on_over_pages_with_the_headings_of_the_table(self):
        line = CONTENT.lines[0]
        many = tuple(replace(line, description=f"Line {n:03}") for n in range(200))

        pdf = reader(replace(CONTENT, lines=many))

        pages = [page.extract_text() for page in pdf.pages]
        assert len(pages) > 4
        assert all("Unit price" in page for page in pages[:-1])
        assert f"Page 1 of {len(pages)}" in " ".join(pages[0].split())
        text = " ".join(pages)
        assert [n for n in range(200) if f"Line {n:03}" not in text] == []

    @pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
    def test_takes_what_people_typed_as_text(self, typed, tmp_path):
        party = Organization(typed, typed, typed, typed[:40], typed)
        lines = (replace(CONTENT.lines[0], description=typed, authority=typed),)
        path = tmp_path / "invoice.pdf"

        path.write_bytes(render(replace(CONTENT, provider=party, customer=party, lines=lines)))

        assert findings(path) == []
        text = " ".join(page.extract_text() for page in PdfReader(path).pages)
        assert "$149.00" in text

    @pytest.mark.parametrize(("letter", "on_a_line"), [("W", 65), ("a", 115)])
    def test_breaks_a_word_that_is_longer_than_its_column(self, letter, on_a_line):
        word = letter * 250
        party = Organization(word, word, word, word, word)
        lines = (replace(CONTENT.lines[0], description=word, authority=word),)
        credit = Credit(word, "−$20.00")

        text = words(replace(CONTENT, customer=party, lines=lines, credits=(credit,)))

        runs = [len(run) for run in re.findall(f"{letter}+", text)]
        assert sum(runs) >= 250 * 8
        assert max(runs) < on_a_line

    def test_turns_no_amount_around(self):
        assert "pay 10.00 now" in words(replace(CONTENT, notes="pay \u202e10.00\u202c now"))

    def test_keeps_letters_of_other_scripts(self):
        text = words(replace(CONTENT, notes="Łukasz, Αθήνα, Київ, עולם"))

        assert "Łukasz, Αθήνα, Київ" in text
        assert set("עולם") <= set(text)

    def test_shows_markup_as_it_was_typed(self):
        typed = replace(CONTENT, notes='*not bold* #panic("no")')

        assert '*not bold* #panic("no")' in words(typed)

    def test_puts_a_box_for_what_no_font_can_show(self):
        assert "Launch □ day" in words(replace(CONTENT, notes="Launch \U0001f680 day"))


def findings(path: Path) -> list[object]:
    """What the checks of PDF/UA complain about."""
    return list(pdfua.validate(str(path)).findings)
