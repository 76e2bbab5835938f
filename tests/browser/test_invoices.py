"""Invoices as people live with them: paying, a declined card, a correction, and files to keep."""

import csv
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect
from pypdf import PdfReader

from billing.models import BillingRequest, Document, Invoice
from billing.models.proposals import CatalogEntry, Proposal
from connections.models import Connection, Outbox
from revampd.kit import doorbell
from tests.billing.cards import add_card
from tests.cast import Cast

from .fitness import faults
from .house import wait_until
from .steps import expect_told, path_of


class Nobody:
    """Stands where the broker was: nobody is rung."""

    def send_task(self, *_args: object, **_options: object) -> None:
        """Say nothing."""


@pytest.fixture
def unrung(browse: object) -> Iterator[None]:
    """What the test does itself rings no worker: things stay as they are.

    The patch ends inside that of `browse`: undone after it, the house's bell would stay for good.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doorbell, "current_app", Nobody())
        yield
    Outbox.objects.all().delete()


def agree(cast: Cast, item: CatalogEntry) -> Invoice:
    """Proposed, approved, and billed at once."""
    connection, now = cast.northwind_bluebird, timezone.now()
    request = BillingRequest.propose(Proposal(item), connection=connection, by=cast.noah, at=now)
    request.approve(by=cast.ben, seal=request.seal, at=now)
    invoice: Invoice = connection.invoices.latest("number")
    return invoice


def path(invoice: Invoice) -> str:
    return path_of(invoice.connection, f"invoices/{invoice.number}/")


def card(cast: Cast, name: str) -> None:
    add_card(cast.northwind_bluebird, name, by=cast.ben, at=timezone.now())


def due(page: Page):
    return page.get_by_role("region", name="Amount due")


def is_in(invoice: Invoice, state: str) -> bool:
    return Invoice.objects.filter(pk=invoice.pk, state=state).exists()


def kept_of(connection: Connection) -> bool:
    """Whether every invoice has its PDF."""
    return not connection.invoices.filter(document=None).exists()


class TestPayNow:
    def test_takes_the_money_at_once(self, browse, committed_cast, unrung):
        invoice = agree(committed_cast, committed_cast.growth)
        card(committed_cast, "visa")
        customer = browse(committed_cast.ben, path(invoice))

        due(customer).get_by_role("button", name="Pay $149.00 now").click()

        expect_told(customer, "$149.00 was paid by Visa ending 4242. Thank you.")
        expect(customer.get_by_role("heading", level=1)).to_contain_text("Paid")
        expect(due(customer)).to_contain_text("nothing is owed")
        expect(customer.get_by_role("group", name="Payments")).to_contain_text("Ben Tester")
        assert faults(customer) == []

    def test_works_without_javascript(self, browse, committed_cast, unrung):
        invoice = agree(committed_cast, committed_cast.growth)
        card(committed_cast, "insufficient_funds")
        customer = browse(committed_cast.ben, path(invoice), javascript=False)

        due(customer).get_by_role("button", name="Pay $149.00 now").click()

        expect(due(customer)).to_contain_text("There is not enough money on the card.")
        expect(customer.get_by_role("heading", level=1)).to_contain_text("Past due")

    def test_goes_over_the_bank_and_back_if_it_wants_that(self, browse, committed_cast, unrung):
        invoice = agree(committed_cast, committed_cast.growth)
        card(committed_cast, "confirms_always")
        customer = browse(committed_cast.ben, path(invoice))
        due(customer).get_by_role("button", name="Pay $149.00 now").click()
        expect(customer.get_by_text("Your bank wants you to confirm $149.00")).to_be_visible()
        assert faults(customer) == []

        customer.get_by_role("button", name="Confirm the payment").click()
        customer.get_by_role("button", name="Confirm").first.click()

        expect_told(customer, "$149.00 was paid by Visa ending 3184. Thank you.")
        expect(customer.get_by_role("heading", level=1)).to_contain_text("Paid")


class TestDeclinedCard:
    def test_is_tried_on_a_schedule_until_another_card_pays(self, browse, committed_cast):
        cast = committed_cast
        card(cast, "insufficient_funds")
        invoice = agree(cast, cast.growth)
        wait_until(lambda: is_in(invoice, "PAST_DUE"), "the first attempt")
        customer = browse(cast.ben, path(invoice))

        expect(due(customer)).to_contain_text("Visa ending 9995 was not charged.")
        expect(due(customer)).to_contain_text("There is not enough money on the card.")
        invoice.refresh_from_db()
        schedule = due(customer).get_by_text("Visa ending 9995: next try")
        expect(schedule).to_contain_text(f"next try {invoice.collect_on:%-d %b}, then")
        assert schedule.inner_text().count(",") == 3
        expect(due(customer)).to_contain_text("this connection is suspended, and no other one")
        assert faults(customer) == []

        due(customer).get_by_role("link", name="Add a payment method").click()
        customer.get_by_role("button", name="Add a card").first.click()
        customer.get_by_role("link", name="4242 4242 4242 4242").click()
        expect(customer.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
        customer.get_by_role("button", name="Save card").click()
        expect_told(customer, "Visa ending 4242 was added.")
        wait_until(lambda: is_in(invoice, "PAID"), "the attempt with the new card")

        customer.goto(path(invoice))
        attempts = customer.get_by_role("group", name="Payments").get_by_role("row")
        expect(attempts.nth(1)).to_contain_text("Visa ending 4242")
        expect(attempts.nth(1)).to_contain_text("Paid")
        expect(attempts.nth(2)).to_contain_text("Visa ending 9995")
        expect(attempts.nth(2)).to_contain_text("Failed")


def asks_for_a_preview(request: Request) -> bool:
    return "preview" in (request.post_data or "")


def hold_previews(page: Page) -> dict[Request, Route]:
    """Each preview that is asked for from now on waits until the test lets it go."""
    held: dict[Request, Route] = {}

    def hold(route: Route) -> None:
        if asks_for_a_preview(route.request):
            held[route.request] = route
        else:
            route.fallback()

    page.route("**/*", hold)
    return held


class TestCorrection:
    def test_returns_what_its_preview_said(self, browse, committed_cast, unrung):
        cast = committed_cast
        invoice = agree(cast, cast.growth)
        partner = browse(cast.noah, path(invoice))

        partner.get_by_role("link", name="Credit note").click()
        partner.get_by_label("Growth").fill("49")
        partner.get_by_label("Reason").fill("The first days did not work.")
        preview = partner.get_by_role("region", name="What returns where")
        expect(preview).to_contain_text("Owed less")
        expect(preview).to_contain_text("$49.00")
        assert faults(partner) == []
        partner.get_by_role("button", name="Issue the credit note").click()
        expect_told(partner, "CN-00001 takes back $49.00 of INV-00001.")

        customer = browse(cast.theo, path(invoice))
        expect(due(customer)).to_contain_text("$100.00")
        customer.get_by_role("group", name="Credit notes").get_by_role("link").click()
        expect(customer.get_by_text("The first days did not work.").first).to_be_visible()

    def test_takes_all_of_it_with_one_press(self, browse, committed_cast, unrung):
        cast = committed_cast
        invoice = agree(cast, cast.growth)
        partner = browse(cast.noah, path(invoice) + "credit-notes/new/")

        partner.get_by_label("Reason").fill("All of it was wrong.")
        partner.get_by_role("button", name="All of it ($149.00)").click()
        expect(partner.get_by_label("Growth")).to_have_value("149.00")
        expect(partner.get_by_label("Reason")).to_have_value("All of it was wrong.")
        expect(partner.get_by_role("region", name="What returns where")).to_contain_text("$149.00")
        partner.get_by_role("button", name="Issue the credit note").click()
        expect_told(partner, "CN-00001 takes back $149.00")

        partner.goto(path(invoice))
        expect(partner.get_by_role("heading", level=1)).to_contain_text("Credited")

    def test_forgets_a_preview_whose_form_was_replaced(self, browse, committed_cast, unrung):
        cast = committed_cast
        address = path(agree(cast, cast.growth)) + "credit-notes/new/"
        partner = browse(cast.noah, address)
        partner.wait_for_load_state("networkidle")  # the page asks for one as it opens
        held = hold_previews(partner)
        reason = partner.get_by_label("Reason")

        reason.fill("All of it was wrong.")
        with partner.expect_request(asks_for_a_preview) as first:
            reason.press("Tab")
        with (
            partner.expect_request(asks_for_a_preview) as second,
            partner.expect_event("requestfailed") as called_off,
        ):
            partner.get_by_role("button", name="All of it ($149.00)").click()
        assert called_off.value == first.value
        held[second.value].continue_()
        expect(partner.get_by_role("region", name="What returns where")).to_contain_text("$149.00")

    def test_makes_an_invoice_void_for_a_reason(self, browse, committed_cast, unrung):
        cast = committed_cast
        partner = browse(cast.noah, path(agree(cast, cast.growth)))
        partner.get_by_role("link", name="Void").click()
        partner.get_by_role("button", name="Make INV-00001 void").click()
        expect(partner.get_by_label("Reason")).to_be_focused()

        partner.get_by_label("Reason").fill("Sent by mistake.")
        partner.get_by_role("button", name="Make INV-00001 void").click()

        expect_told(partner, "INV-00001 is void.")
        expect(partner.get_by_role("heading", level=1)).to_contain_text("Void")


class TestFiles:
    def test_a_pdf_is_tagged_readable_and_right(self, browse, committed_cast):
        cast = committed_cast
        invoice = agree(cast, cast.growth)
        wait_until(lambda: kept_of(cast.northwind_bluebird), "the worker to make the PDF")
        customer = browse(cast.theo, path(invoice))

        with customer.expect_download() as begun:
            customer.get_by_role("link", name="PDF").click()

        assert begun.value.suggested_filename == "northwind-agency-INV-00001.pdf"
        content = Path(begun.value.path()).read_bytes()
        assert content == bytes(Document.objects.get(invoice=invoice).content)
        reader = PdfReader(BytesIO(content))
        catalog = reader.trailer["/Root"]
        assert catalog["/MarkInfo"]["/Marked"]
        assert "/StructTreeRoot" in catalog
        text = " ".join(page.extract_text() for page in reader.pages)
        for words in ("INV-00001", "Northwind Agency", "Bluebird Clinic", "Growth", "$149.00"):
            assert words in text
        assert "Approved by Ben Tester" in text

    def test_a_pdf_that_is_not_there_yet_comes_by_itself(self, browse, committed_cast, unrung):
        invoice = agree(committed_cast, committed_cast.growth)
        customer = browse(committed_cast.ben, path(invoice))

        customer.get_by_role("link", name="PDF").click()
        expect(customer.get_by_role("heading", level=1)).to_have_text("PDF of INV-00001")
        ready = customer.get_by_role("link", name="Download")
        expect(ready).to_be_visible()
        assert faults(customer) == []

        with customer.expect_download() as begun:
            ready.click()
        assert begun.value.suggested_filename == "northwind-agency-INV-00001.pdf"

    def test_a_list_is_a_csv_as_it_is_filtered(self, browse, committed_cast, unrung):
        cast = committed_cast
        agree(cast, cast.growth)
        agree(cast, cast.setup)
        customer = browse(cast.ben, path_of(cast.northwind_bluebird, "invoices/"))
        # The list alone is exchanged, and the link is not in it.
        customer.get_by_role("link", name="One-time").click()
        expect(customer.get_by_role("row").filter(has_text="INV-00001")).to_have_count(0)

        with customer.expect_download() as begun:
            customer.get_by_role("link", name="CSV").click()

        lines = Path(begun.value.path()).read_text(encoding="utf-8-sig").splitlines()
        [row] = csv.DictReader(lines)
        assert (row["Invoice"], row["Total"], row["Amount due"]) == (
            "INV-00002",
            "400.00",
            "400.00",
        )
