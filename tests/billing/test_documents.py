"""PDF files: made once for each invoice and credit note, and sent as they are stored."""

import threading
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from billing import filing
from billing.cycle import bill_due
from billing.documents import render
from billing.filing import file, file_documents
from billing.models import CreditNote, Document, Invoice
from billing.paper import content_of
from tests.billing.deals import HTMX, run
from tests.billing.settling import add_card, grant, pay_now, take_back
from tests.cast import Cast
from tests.pages import text


@pytest.fixture
def invoice(cast: Cast) -> Invoice:
    """$149.00 of which the wallet paid $49.00."""
    grant(cast, 49_00, "Sorry for the delay")
    run(cast)
    return cast.northwind_bluebird.invoices.get()


def url(subject: Invoice | CreditNote) -> str:
    name = "invoice-pdf" if isinstance(subject, Invoice) else "credit-note-pdf"
    return reverse(f"billing:{name}", args=[subject.connection_id, subject.number])


def words(content: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


class TestContent:
    def test_of_an_invoice_is_that_of_the_day_of_issue(self, cast, invoice):
        before = content_of(invoice)
        pay_now(cast, invoice, add_card(cast))
        invoice.refresh_from_db()
        take_back(cast, invoice, 9_00)
        cast.northwind.change_details(by=cast.maya, name="Another Name")
        invoice.refresh_from_db()

        assert content_of(invoice) == before
        assert before.amount_due == "$100.00"
        assert [(c.reason, c.amount) for c in before.credits] == [
            ("Sorry for the delay", "−$49.00")
        ]
        assert "Approved by Ben Tester, Bluebird Clinic" in before.lines[0].authority

    def test_of_a_credit_note_says_what_it_corrects_and_what_returned(self, cast, invoice):
        note = take_back(cast, invoice, 120_00)

        content = content_of(note)

        assert content.corrects.startswith("INV-00001 of ")
        assert content.settlement == "$100.00 owed less, $20.00 back to the wallet."
        assert content.notes == "Reason: A mistake"
        assert content.amount_due == "$120.00"


class TestFiling:
    def test_makes_each_file_once(self, cast, invoice):
        note = take_back(cast, invoice, 9_00)

        assert file_documents() == 2
        assert file_documents() == 0

        stored = bytes(Document.objects.get(invoice=invoice).content)
        assert stored == render(content_of(invoice))
        assert "INV-00001" in words(stored)
        assert "$100.00" in words(stored)
        assert "CN-00001" in words(bytes(note.document.content))
        assert Document.objects.get(note=note).sha256 == sha256(note.document.content).hexdigest()

    def test_makes_the_one_somebody_waits_for_first(self, cast, invoice):
        bill_due(at=timezone.now() + timedelta(days=70))

        assert file_documents(invoice.pk, seconds=0) == 1
        assert Document.objects.get().invoice == invoice

    def test_makes_the_newest_first_and_stops_in_time(self, cast, invoice):
        bill_due(at=timezone.now() + timedelta(days=70))
        newest = cast.northwind_bluebird.invoices.newest_first().first()

        assert file_documents(seconds=0) == 1
        assert Document.objects.get().invoice == newest

    def test_goes_on_past_one_that_cannot_be_made(self, cast, invoice, monkeypatch, caplog):
        bill_due(at=timezone.now() + timedelta(days=40))
        newest = cast.northwind_bluebird.invoices.newest_first().first()

        def content_or_fail(subject):
            if subject == newest:
                raise ValueError("no such font")
            return content_of(subject)

        monkeypatch.setattr(filing, "content_of", content_or_fail)

        assert file_documents() == 1
        assert Document.objects.get().invoice == invoice
        assert "no such font" in caplog.text

    def test_is_not_done_twice_by_two_workers(self, committed_cast):
        cast = committed_cast
        run(cast)
        bill_due(at=timezone.now() + timedelta(days=100))
        invoices = cast.northwind_bluebird.invoices.count()
        made = []

        def work() -> None:
            made.append(file_documents())
            connection.close()

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sum(made) == Document.objects.count() == invoices == 4

    def test_leaves_alone_what_another_holds(self, committed_cast):
        run(committed_cast)
        invoice = committed_cast.northwind_bluebird.invoices.get()
        answers = []

        def work() -> None:
            answers.append(file(Invoice.objects.get(pk=invoice.pk)))
            connection.close()

        with transaction.atomic():
            assert file(invoice)
            worker = threading.Thread(target=work)
            worker.start()
            worker.join()

        assert answers == [False]


class TestDownload:
    @pytest.mark.parametrize("name", ["maya", "vera", "ben", "theo"])
    def test_sends_the_stored_bytes(self, cast, as_, invoice, name):
        file_documents()
        stored = Document.objects.get()

        answer = as_(getattr(cast, name)).get(url(invoice))

        assert answer.content == bytes(stored.content)
        assert answer["Content-Type"] == "application/pdf"
        assert (
            answer["Content-Disposition"] == 'attachment; filename="northwind-agency-INV-00001.pdf"'
        )
        assert answer["ETag"] == f'"{stored.sha256}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, no-cache"

    def test_sends_nothing_to_who_has_it(self, cast, as_, invoice):
        file_documents()
        browser = as_(cast.ben)
        tag = browser.get(url(invoice))["ETag"]

        again = browser.get(url(invoice), headers={"If-None-Match": tag})

        assert again.status_code == 304
        assert again.content == b""

    def test_of_a_credit_note(self, cast, as_, invoice):
        note = take_back(cast, invoice, 9_00)
        file_documents()

        answer = as_(cast.ben).get(url(note))

        assert "CN-00001.pdf" in answer["Content-Disposition"]
        assert "Taken back" in words(answer.content)

    def test_names_a_file_by_no_more_than_safe_letters(self, cast, as_):
        cast.northwind.change_details(by=cast.maya, name='../"Ünïcode"; \\ & Söhne')
        run(cast)
        file_documents()

        answer = as_(cast.ben).get(url(cast.northwind_bluebird.invoices.get()))

        assert answer["Content-Disposition"] == 'attachment; filename="unicode-sohne-INV-00001.pdf"'

    def test_waits_on_a_page_that_looks_by_itself(self, cast, as_, invoice):
        browser = as_(cast.ben)
        waiting = browser.get(url(invoice))
        assert waiting.status_code == 200
        assert "The PDF is being made" in text(waiting)
        assert 'hx-trigger="every 2s"' in text(waiting)
        assert "Look again" in text(waiting)

        file_documents()
        ready = text(browser.get(url(invoice), headers=HTMX))

        assert "The PDF is ready" in ready
        assert "every 2s" not in ready

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, invoice, name):
        file_documents()

        assert as_(getattr(cast, name)).get(url(invoice)).status_code == 404


class TestDocument:
    def test_never_changes_and_is_one(self, cast, invoice):
        file_documents()
        document = Document.objects.get()
        for attempt in (
            lambda: Document.objects.update(content=b"forged"),
            lambda: Document.keep(b"another", at=timezone.now(), invoice=invoice),
            lambda: Document.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                attempt()

        assert bytes(Document.objects.get().content) == bytes(document.content)
