"""Correcting an issued invoice, as the provider does it on its pages."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import CreditNote, Invoice
from billing.refunding import settle_refunds
from tests.billing.deals import HTMX, MARKUP, run
from tests.billing.settling import add_card, grant, owed, pay_now, take_back
from tests.cast import Cast
from tests.pages import text


@pytest.fixture
def invoice(cast: Cast) -> Invoice:
    """$149.00 of which the wallet paid $49.00."""
    grant(cast, 49_00)
    run(cast)
    return owed(cast.northwind_bluebird)


@pytest.fixture
def paid(cast: Cast, invoice: Invoice) -> Invoice:
    """The same, the rest paid by card."""
    pay_now(cast, invoice, add_card(cast))
    invoice.refresh_from_db()
    return invoice


def url(subject: Invoice | CreditNote, name: str) -> str:
    return reverse(f"billing:{name}", args=[subject.connection_id, subject.number])


def line(invoice: Invoice) -> str:
    return f"line-{invoice.lines.get().pk}"


class TestVoid:
    def test_takes_it_back_and_gives_the_same_cents_to_the_same_credits(self, cast, as_, invoice):
        browser = as_(cast.noah)
        form = text(browser.get(url(invoice, "void-invoice")))
        assert "$49.00" in form

        answer = browser.post(url(invoice, "void-invoice"), {"reason": "Sent by mistake"})

        assert answer.status_code == 303
        page = text(browser.get(answer["Location"]))
        assert "INV-00001 is void." in page
        assert "Sent by mistake" in page
        assert [c.remaining.minor for c in cast.northwind_bluebird.credits.all()] == [49_00]

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
    def test_wants_a_reason_and_keeps_what_was_typed(self, cast, as_, invoice, reason):
        answer = as_(cast.noah).post(url(invoice, "void-invoice"), {"reason": reason})

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in text(answer)
        assert reason.strip() in text(answer)
        invoice.refresh_from_db()
        assert invoice.is_owed

    def test_is_not_offered_for_what_a_card_paid_and_refused_in_words(self, cast, as_, paid):
        browser = as_(cast.noah)
        assert "/void/" not in text(browser.get(url(paid, "invoice")))

        answer = browser.post(url(paid, "void-invoice"), {"reason": "No"}, headers=HTMX)

        assert answer.status_code == 409
        assert "Issue a credit note instead." in text(answer)
        assert "<h1>" not in text(answer)


class TestWriteOff:
    def test_gives_up_on_what_is_owed(self, cast, as_, invoice):
        browser = as_(cast.noah)
        assert "$100.00" in text(browser.get(url(invoice, "write-off")))

        answer = browser.post(url(invoice, "write-off"), {"reason": "They closed"})

        page = text(browser.get(answer["Location"]))
        assert "You wrote $100.00 of INV-00001 off." in page
        assert "Uncollectible" in page

    def test_of_what_is_paid_is_refused(self, cast, as_, paid):
        answer = as_(cast.noah).post(url(paid, "write-off"), {"reason": "They closed"})

        assert answer.status_code == 409
        assert "Nothing of INV-00001 is owed any more." in text(answer)


class TestNewCreditNote:
    def test_previews_what_returns_where(self, cast, as_, invoice):
        data = {line(invoice): "110", "preview": "1"}
        answer = as_(cast.noah).post(url(invoice, "new-credit-note"), data, headers=HTMX)

        preview = text(answer)
        assert "Owed less" in preview
        assert "$100.00" in preview
        assert "Back to the wallet" in preview
        assert "$10.00" in preview
        assert "<form" not in preview
        assert not CreditNote.objects.exists()

    def test_returns_what_was_paid_as_the_preview_said(self, cast, as_, paid):
        browser = as_(cast.noah)
        data = {line(paid): "74.50", "reason": f"Half a month {MARKUP}"}
        preview = browser.post(url(paid, "new-credit-note"), {**data, "preview": "1"})
        returned = preview.context["returned"]

        answer = browser.post(url(paid, "new-credit-note"), data)

        assert answer.status_code == 303
        page = browser.get(answer["Location"])
        note = page.context["note"]
        assert [(str(label), str(sum_)) for label, sum_ in returned.to_methods] == [
            ("Visa ending 4242", str(note.to_methods))
        ]
        assert str(note.to_methods) == "$50.00"
        assert note.to_wallet == returned.to_wallet
        assert str(note.to_wallet) == "$24.50"
        assert MARKUP not in text(page)
        assert "On its way" in text(page)

    def test_fills_in_all_that_is_left(self, cast, as_, invoice):
        run(cast, cast.setup)
        take_back(cast, invoice, 9_00)
        browser = as_(cast.noah)

        page = browser.post(url(invoice, "new-credit-note"), {"all": "1", "reason": "All wrong"})

        assert page.status_code == 200
        assert 'value="140.00"' in text(page)
        assert "All wrong" in text(page)
        assert page.context["returned"].total.minor == 140_00

    def test_takes_no_more_than_what_credits_left_of_the_whole(self, cast, as_):
        """An upgrade gave days of the old plan back: its lines come to more than the total."""
        run(cast)
        run(cast, cast.scale)
        bill_due(at=timezone.now() + timedelta(days=32))
        change = cast.northwind_bluebird.invoices.newest_first().first()
        assert min(change.lines.values_list("amount", flat=True)) < 0

        page = as_(cast.noah).post(url(change, "new-credit-note"), {"all": "1"})

        assert page.context["returned"].total == change.total_money

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("", "Enter what to take back of at least one line."),
            ("0", "Enter what to take back of at least one line."),
            ("149.01", "Enter at most $149.00."),
            ("-5", "Enter an amount like 49 or 49.99"),
            ("1e2", "Enter an amount like 49 or 49.99"),
            ("1.999", "Enter at most 2 digits"),
            ("<b>", "Enter an amount like 49 or 49.99"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, cast, as_, invoice, typed, words):
        data = {line(invoice): typed, "reason": "Kept as typed"}
        answer = as_(cast.noah).post(url(invoice, "new-credit-note"), data)

        assert answer.status_code == 422
        assert words in text(answer)
        assert "Kept as typed" in text(answer)
        assert "<b>" not in text(answer).split("<form", 1)[1].split("</form", 1)[0].replace(
            "<b>Nothing was saved yet.</b>", ""
        )
        assert not CreditNote.objects.exists()

    def test_wants_a_reason(self, cast, as_, invoice):
        answer = as_(cast.noah).post(url(invoice, "new-credit-note"), {line(invoice): "5"})

        assert answer.status_code == 422
        assert 'value="5"' in text(answer)

    def test_of_a_void_invoice_is_refused(self, cast, as_, invoice):
        browser = as_(cast.noah)
        browser.post(url(invoice, "void-invoice"), {"reason": "Gone"})
        data = {line(invoice): "5", "reason": "Too late"}

        answer = browser.post(url(invoice, "new-credit-note"), data)

        assert answer.status_code == 409
        assert "INV-00001 is void." in text(answer)

    def test_waits_for_a_payment_that_is_under_way(self, cast, as_, invoice):
        pay_now(cast, invoice, add_card(cast, "delayed"))
        data = {line(invoice): "5", "reason": "In between"}

        answer = as_(cast.noah).post(url(invoice, "new-credit-note"), data)

        assert answer.status_code == 409
        assert "A payment is under way." in text(answer)

    @pytest.mark.parametrize("name", ["void-invoice", "write-off", "new-credit-note"])
    @pytest.mark.parametrize(
        ("who", "status"), [("vera", 403), ("dana", 403), ("ben", 403), ("fay", 404)]
    )
    def test_is_for_owners_and_billing_of_the_provider(self, cast, as_, invoice, name, who, status):
        browser = as_(getattr(cast, who))

        assert browser.get(url(invoice, name)).status_code == status
        assert browser.post(url(invoice, name), {"reason": "Mine"}).status_code == status


class TestCreditNote:
    @pytest.mark.parametrize("name", ["maya", "vera", "ben", "theo"])
    def test_is_read_by_both_sides(self, cast, as_, invoice, name):
        note = take_back(cast, invoice, 9_00)

        page = text(as_(getattr(cast, name)).get(url(note, "credit-note")))

        for words in ("CN-00001", "$9.00", "A mistake", "Noah Tester", "INV-00001"):
            assert words in page

    def test_says_what_became_of_a_refund(self, cast, as_, invoice):
        pay_now(cast, invoice, add_card(cast))
        invoice.refresh_from_db()
        note = take_back(cast, invoice, 149_00)
        settle_refunds(at=note.issued_at + timedelta(days=365))

        page = text(as_(cast.ben).get(url(note, "credit-note")))

        assert "Refunded. Banks take a few days" in page

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, invoice, name):
        note = take_back(cast, invoice, 9_00)

        assert as_(getattr(cast, name)).get(url(note, "credit-note")).status_code == 404

    def test_is_not_there_on_another_connection(self, cast, as_, invoice):
        take_back(cast, invoice, 9_00)
        path = reverse("billing:credit-note", args=[cast.revampd_bluebird.pk, 1])

        assert as_(cast.ben).get(path).status_code == 404
