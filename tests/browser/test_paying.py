"""Paying as people live it: the first card, the first invoice, credit, and back from suspension."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.cycle import bill_due
from billing.models import BillingRequest
from billing.models.proposals import Proposal
from tests.cast import Cast

from .fitness import faults
from .steps import approve, expect_told, go, path_of, propose


@pytest.fixture
def running(committed_cast: Cast, browse: object) -> BillingRequest:
    """Growth, approved and running."""
    cast, now = committed_cast, timezone.now()
    connection = cast.northwind_bluebird
    request = BillingRequest.propose(
        Proposal(cast.growth), connection=connection, by=cast.noah, at=now
    )
    request.approve(by=cast.ben, seal=request.seal, at=now)
    return request


def add_card(page: Page, number: str = "4242 4242 4242 4242") -> None:
    """From a page that offers it, over the gateway's page and back."""
    page.get_by_role("button", name="Add a card").first.click()
    expect(page.get_by_role("complementary", name="Warning")).to_contain_text(
        "no real card, no real money"
    )
    fill_in(page, number)
    page.get_by_role("button", name="Save card").click()
    expect_told(page, f"ending {number[-4:]} was added.")


def fill_in(page: Page, number: str) -> None:
    page.get_by_role("link", name=number).click()
    expect(page.get_by_label("Card number")).to_have_value(number)


def expect_paid(page: Page, code: str) -> None:
    """The worker has collected the invoice."""
    row = page.get_by_role("group", name="Invoices").get_by_role("row").filter(has_text=code)
    for _ in range(50):
        go(page, "Invoices")
        if row.filter(has_text="Paid").count():
            break
        page.wait_for_timeout(200)
    expect(row).to_contain_text("Paid")


class TestFirstSteps:
    def test_lead_from_a_card_to_the_first_paid_invoice(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        customer = browse(cast.ben, "/")
        customer.goto(path_of(cast.northwind_bluebird))
        expect(partner.get_by_text("takes its first steps")).to_be_visible()

        steps = customer.get_by_role("region", name="First steps")
        expect(steps).to_contain_text("0 of 3 done")
        add_card(customer)
        go(customer, "Overview")
        expect(steps).to_contain_text("Northwind Agency has not sent one yet.")

        propose(partner, "Growth")
        go(customer, "Overview")
        steps.get_by_role("link", name="Review it").click()
        approve(customer, "Growth")
        expect_told(customer, "You approved Growth.")

        expect_paid(customer, "INV-00001")
        for page in (customer, partner):
            page.goto(path_of(cast.northwind_bluebird))
            expect(page.get_by_text("irst steps")).to_have_count(0)
            expect(page.get_by_role("region", name="Paying")).to_contain_text("Visa ending 4242")

    def test_need_no_script(self, browse, committed_cast):
        path = path_of(committed_cast.northwind_bluebird)
        customer = browse(committed_cast.ben, path, javascript=False)

        add_card(customer)

        expect(customer.get_by_role("listitem").filter(has_text="4242")).to_contain_text("Default")

    def test_say_on_the_gateways_page_what_is_wrong(self, browse, committed_cast):
        path = path_of(committed_cast.northwind_bluebird, "payment-methods/")
        customer = browse(committed_cast.ben, path)
        customer.get_by_role("button", name="Add a card").click()

        fill_in(customer, "4000 0000 0000 0002")
        customer.get_by_role("button", name="Save card").click()

        expect(customer.get_by_role("alert")).to_contain_text("The bank declined this card.")
        expect(customer.get_by_label("Card number")).to_have_value("4000 0000 0000 0002")
        assert faults(customer) == []
        customer.get_by_role("link", name="Go back without a card").click()
        expect_told(customer, "No card was added.")
        assert not committed_cast.northwind_bluebird.payment_methods.exists()


class TestWallet:
    def test_takes_credit_from_the_partner_and_pays_the_next_invoice(
        self, browse, committed_cast, running
    ):
        cast = committed_cast
        customer = browse(cast.ben, path_of(cast.northwind_bluebird, "payment-methods/"))
        add_card(customer)
        expect_paid(customer, "INV-00001")
        partner = browse(cast.noah, path_of(cast.northwind_bluebird, "wallet/"))
        partner.get_by_role("link", name="Adjust").click()
        partner.get_by_label("Amount").fill("20")
        expect(partner.get_by_role("region", name="Balance afterwards")).to_contain_text("$20.00")
        partner.get_by_label("Reason").fill("Goodwill for the outage")
        partner.get_by_role("button", name="Adjust").dblclick()
        expect_told(partner, "You added $20.00 to the wallet of Bluebird Clinic.")

        go(customer, "Wallet")
        balance = customer.get_by_role("region", name="Balance")
        expect(balance).to_contain_text("over $149.00 will take $20.00 of it.")
        bill_due(running.starts_on + timedelta(days=31), at=timezone.now())

        go(customer, "Invoices")
        row = customer.get_by_role("group", name="Invoices").get_by_role("row")
        expect(row.filter(has_text="INV-00002")).to_contain_text("$129.00")
        go(customer, "Wallet")
        expect(balance).to_contain_text("The wallet is empty.")
        customer.get_by_text("View applications").click()
        uses = customer.get_by_role("group", name="Applications of Goodwill for the outage")
        expect(uses.get_by_role("row").filter(has_text="INV-00002")).to_contain_text("$20.00")
        uses.get_by_role("link", name="INV-00002").click()
        expect(customer.get_by_role("heading", level=1)).to_contain_text("INV-00002")
        customer.go_back()
        customer.get_by_text("View applications").click()
        expect(uses).to_be_visible()
        assert faults(customer) == []

    def test_says_beside_the_amount_that_there_is_no_more(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird, "wallet/adjustment/"))
        partner.get_by_role("radio", name="Take credit out").check()
        partner.get_by_label("Amount").fill("5.50")
        partner.get_by_label("Reason").fill("Typed with care")
        partner.get_by_role("button", name="Adjust").click()

        expect(partner.get_by_role("alert")).to_contain_text("The wallet holds $0.00")
        expect(partner.get_by_role("alert")).to_be_focused()
        expect(partner.get_by_label("Amount")).to_have_value("5.50")
        expect(partner.get_by_label("Reason")).to_have_value("Typed with care")
        expect(partner.get_by_role("radio", name="Take credit out")).to_be_checked()
        assert faults(partner) == []


class TestSuspension:
    def test_ends_when_a_card_pays_what_is_past_due(self, browse, committed_cast, running):
        cast, later = committed_cast, timezone.now() + timedelta(days=90)
        invoice = cast.northwind_bluebird.invoices.get()
        invoice.wait(at=later - timedelta(days=30))
        invoice.wait(at=later)
        customer = browse(cast.ben, path_of(cast.northwind_bluebird))
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        expect(customer.get_by_text("You are suspended with Northwind Agency.")).to_be_visible()
        expect(partner.get_by_text("Bluebird Clinic is suspended.")).to_be_visible()
        assert faults(partner) == []

        go(customer, "Payment methods")
        expect(customer.get_by_text("INV-00001 is past due.")).to_be_visible()
        add_card(customer)

        expect_paid(customer, "INV-00001")
        customer.goto(path_of(cast.northwind_bluebird))
        expect(customer.get_by_role("heading", level=1)).to_contain_text("Active")
        expect(customer.get_by_text("You are suspended")).to_have_count(0)
