"""The statement of a payout as PDF: what stands on it, page by page, and how it is sent."""

import json
import resource
import subprocess
import sys
from dataclasses import asdict, replace
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from billing.documents import render_apart
from payouts import paper
from payouts.documents.content import TEMPLATE, StatementContent
from payouts.filing import file_statement
from payouts.models import Payout, Statement
from payouts.sending import send_transfers
from tests.billing.deals import HTMX
from tests.cast import Cast

from .acts import NOW, WEEK, close, link_bank, put_on_tier, sell, take_back, week

LATER = NOW + WEEK


@pytest.fixture
def payout(cast: Cast) -> Payout:
    """Thirty sales of $100.00 and one of $50.00 that went back in part, at 3.5 %."""
    put_on_tier(cast)
    payment = sell(cast, 50_00)
    take_back(payment, 20_00)
    for _ in range(30):
        sell(cast, 100_00)
    [payout] = close(LATER)
    return payout


def filed(payout: Payout) -> Statement:
    assert file_statement(payout.pk)
    statement: Statement = payout.statements.latest("as_of")
    return statement


def pages(content: bytes) -> list[str]:
    return [" ".join(p.extract_text().split()) for p in PdfReader(BytesIO(content)).pages]


def links(content: bytes) -> set[str]:
    pages: Any = PdfReader(BytesIO(content)).pages
    marks = [mark.get_object() for page in pages for mark in page["/Annots"]]
    return {mark["/A"]["/URI"] for mark in marks}


# A process begins with the memory of the one that starts it, so a small one starts the press.
WATCH = """
import resource, subprocess, sys
press = [sys.executable, "-m", "billing.documents.press"]
subprocess.run(press, stdin=sys.stdin, stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_of_rendering(content: StatementContent) -> int:
    """The memory that the process of one part takes, in KiB."""
    facts = asdict(content) | {"issued_at": ""}
    order = {"facts": facts, "timestamp": int(NOW.timestamp()), "template": str(TEMPLATE)}
    watched = subprocess.run(
        [sys.executable, "-c", WATCH],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(watched.stdout)


def url(payout: Payout) -> str:
    return f"/connections/{payout.connection_id}/payouts/{payout.pk}/statement/"


class TestContent:
    def test_has_every_earning_with_its_parts(self, cast, payout):
        text = " ".join(pages(bytes(filed(payout).content)))

        earnings = payout.earnings.select_related("payment__invoice")
        assert all(text.count(earning.payment.invoice.code) >= 1 for earning in earnings)
        assert text.count("Bluebird Clinic") >= len(earnings) == 32
        assert "Refund of INV-00001" in text
        assert "−$20.00 −$0.70 3.5 % $0.00 −$19.30" in text
        for amount in ("$3,030.00", "−$106.05", "$2,923.95"):
            assert amount in text

    def test_leads_to_the_invoices_and_the_approvals_behind_them(self, cast, payout, settings):
        statement = filed(payout)

        found = links(bytes(statement.content))
        earning = payout.earnings.first()
        line = earning.payment.invoice.lines.get()
        theirs = f"{settings.BASE_URL}/connections/{cast.northwind_bluebird.pk}"
        assert f"{theirs}/invoices/{earning.payment.invoice.number}/" in found
        assert f"{theirs}/requests/{line.request_id}/" in found
        account = f"{settings.BASE_URL}/connections/{cast.revampd_northwind.pk}"
        assert f"{account}/requests/{earning.authority_id}/" in found
        assert line.request.reference in " ".join(pages(bytes(statement.content)))

    def test_repeats_its_headings_and_adds_up_each_page(self, payout):
        first, *more, last = pages(bytes(filed(payout).content))

        assert more
        for page in (first, *more, last):
            assert page.count("Gross Fee Affiliate Net Brought forward") == 1
            assert page.count("This page $") == 1
        assert "All earnings $3,030.00 $106.05 $0.00 $2,923.95" in last
        for before, after in zip([first, *more], [*more, last], strict=True):
            forward = before.split("Carried forward ")[1].split(" Revampd")[0]
            assert f"Brought forward {forward}" in after

    def test_says_where_the_money_went(self, cast, payout):
        link_bank(cast, "at_once")
        payout.settle(credit=23_95, transfer=2_900_00, by=cast.noah, at=LATER)
        send_transfers(at=LATER)

        [page, *_] = pages(bytes(filed(payout).content))

        assert "To the wallet −$23.95 To the bank −$2,900.00 Available $0.00" in page
        assert "16 Nov 2026: $23.95 to the wallet and $2,900.00 to the bank" not in page
        assert "17 Nov 2026: $23.95 to the wallet and $2,900.00 to the bank" in page
        assert "paid), settled by Noah Tester" in page

    def test_names_what_is_carried_over_on_both_sides(self, cast):
        payment = sell(cast, 100_00)
        close(week(1))
        take_back(payment, 60_00, at=week(1))
        close(week(2))
        sell(cast, 90_00, at=week(2))
        _, below, above = close(week(3))

        [page, *_] = pages(bytes(filed(below).content))
        assert f"Carried into the {above.week} $60.00" in page
        [page, *_] = pages(bytes(filed(above).content))
        assert f"Carried over from the {below.week} −$60.00" in page

    def test_is_tagged_and_of_an_archive(self, payout):
        reader = PdfReader(BytesIO(filed(payout).content))

        assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
        assert b"pdfuaid" in reader.trailer["/Root"]["/Metadata"].get_data()


class TestFiling:
    def test_makes_it_once_as_the_payout_stands(self, cast, payout):
        first = filed(payout)
        assert not file_statement(payout.pk)

        payout.settle(credit=payout.left, transfer=0, by=cast.noah, at=week(2))
        second = filed(payout)

        assert first.as_of == payout.closed_at
        assert second.as_of == week(2)
        assert first.sha256 != second.sha256

    def test_packs_a_long_one_in_parts_that_go_on_from_each_other(self, payout, monkeypatch):
        monkeypatch.setattr(paper, "PART", 20)

        statement = filed(payout)

        assert (statement.parts, statement.content_type) == (2, "application/zip")
        with ZipFile(BytesIO(statement.content)) as archive:
            names = archive.namelist()
            first, second = (pages(archive.read(name)) for name in names)
        assert names == [f"{payout.file_name}-{number}-of-2.pdf" for number in (1, 2)]
        assert "part 1 of 2" in first[0]
        forward = first[-1].split("Carried forward ")[1].split(" ")[0]
        assert f"Brought forward {forward} " in second[0]
        assert "All earnings $3,030.00" in second[-1]

    def test_costs_the_worker_no_memory_and_bounds_that_of_a_part(self, payout):
        file_statement(payout.pk)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        [content] = paper.parts_of(payout, LATER)
        rows, sums = content.rows[:1] * paper.PART, content.sums[:1] * (paper.PART + 1)
        many = replace(content, rows=rows, sums=sums)
        render_apart(many, TEMPLATE)

        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 20 * 1024
        assert peak_of_rendering(many) < 300 * 1024


class TestPage:
    def test_waits_until_the_file_is_there(self, cast, as_, payout):
        browser = as_(cast.vera)
        assert "The PDF is being made" in browser.get(url(payout)).content.decode()

        file_statement(payout.pk)

        ready = browser.get(url(payout), headers=HTMX).content.decode()
        assert "The PDF is ready" in ready
        assert f"{payout.file_name}.pdf" in ready

    def test_sends_what_is_stored_with_its_hash(self, cast, as_, payout):
        statement = filed(payout)
        browser = as_(cast.maya)

        answer = browser.get(url(payout))

        assert answer.content == bytes(statement.content)
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == (f'attachment; filename="{payout.file_name}.pdf"')
        assert answer["Cache-Control"] == "private, no-cache"
        again = browser.get(url(payout), headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304

    def test_is_for_the_two_parties_alone(self, cast, as_, payout):
        filed(payout)

        assert as_(cast.rhea).get(url(payout)).status_code == 200
        for stranger in (cast.oscar, cast.ben, cast.zed):
            assert as_(stranger).get(url(payout)).status_code == 404

    def test_is_linked_from_the_payout(self, cast, as_, payout):
        page = as_(cast.maya).get(url(payout).removesuffix("statement/")).content.decode()

        assert url(payout) in page
