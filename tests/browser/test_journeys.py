"""The life of a request, from proposal to invoice, as two people live it in two browsers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from billing.cycle import bill_due
from billing.models import BillingRequest
from billing.models.proposals import CatalogEntry, Proposal
from connections.models import Connection
from tests.cast import Cast

from .fitness import faults
from .house import wait_until
from .steps import (
    LIVE_WITHIN,
    approve,
    choose,
    expect_told,
    expect_unread,
    go,
    keep_from_hearing,
    notification,
    open_notification,
    path_of,
    path_of_request,
    propose,
    reject,
)

Send = Callable[..., BillingRequest]


@pytest.fixture
def send(committed_cast: Cast, browse: object) -> Send:
    """`send(item)` is a request of Noah's to Bluebird, sent without a browser."""

    def send(item: CatalogEntry, **details: object) -> BillingRequest:
        return BillingRequest.propose(
            Proposal(item, **details),  # type: ignore[arg-type]
            connection=committed_cast.northwind_bluebird,
            by=committed_cast.noah,
            at=timezone.now(),
        )

    return send


@pytest.fixture
def running(send: Send, committed_cast: Cast) -> BillingRequest:
    """Growth, approved and running."""
    request = send(committed_cast.growth, note="As agreed on the phone.")
    request.approve(by=committed_cast.ben, seal=request.seal, at=timezone.now(), note="Go ahead.")
    return request


class TestPlan:
    def test_starts_when_the_customer_approves_it(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        customer = browse(cast.ben, path_of(cast.northwind_bluebird))
        expect_unread(customer, 0)

        propose(partner, "Growth", note="As agreed on the phone.")
        expect_unread(customer, 1)
        open_notification(customer, "Northwind Agency proposes Growth")
        expect(customer.get_by_text("As agreed on the phone.").first).to_be_visible()
        expect_unread(customer, 0)
        approve(customer, "Growth", note="Glad to start.")
        expect_told(customer, "You approved Growth.")
        expect(customer.get_by_text("Ben Tester approved this")).to_be_visible()

        expect_unread(partner, 1)
        decision = notification(partner, "Bluebird Clinic approved Growth")
        decision.get_by_text("Details").click()
        expect(decision).to_contain_text("Glad to start.")
        original = notification(customer, "Northwind Agency proposes Growth")
        expect(original).to_contain_text("Approved Ben Tester")
        expect(original.get_by_role("button", name="Approve Growth")).to_have_count(0)
        for page in (partner, customer):
            page.goto(path_of(cast.northwind_bluebird, "plan/"))
            expect(page.get_by_role("group", name="What runs")).to_contain_text("Growth")
            expect_line(page, cast.northwind_bluebird, "Growth", "$149.00")

    def test_stays_out_when_the_customer_rejects_it(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        customer = browse(cast.ben)
        propose(partner, "Scale")

        open_notification(customer, "Northwind Agency proposes Scale")
        reject(customer, "Scale", note="Not before spring.")
        expect(customer.get_by_text("Ben Tester rejected this")).to_be_visible()

        open_notification(partner, "Bluebird Clinic rejected Scale")
        expect(partner.get_by_text("Not before spring.").first).to_be_visible()
        partner.goto(path_of(cast.northwind_bluebird, "plan/"))
        expect(partner.get_by_role("heading", name="Nothing runs yet")).to_be_visible()


class TestAddOn:
    def test_joins_the_plan_with_its_quantity(self, browse, committed_cast, running):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        customer = browse(cast.bella)
        propose(partner, "Phone number", quantity="4")

        entry = notification(customer, "Northwind Agency proposes Phone number")
        expect(entry).to_contain_text("4 × $2.50 a month")
        approve(entry, "Phone number")
        expect(entry).to_contain_text("Approved Bella Tester")

        for page in (partner, customer):
            page.goto(path_of(cast.northwind_bluebird, "plan/"))
            expect(page.get_by_role("group", name="What runs")).to_contain_text("4 × Phone number")
            expect(page.get_by_role("group", name="What runs")).to_contain_text("$159.00")
        bill_due(running.starts_on + timedelta(days=31), at=timezone.now())
        for page in (partner, customer):
            expect_line(page, cast.northwind_bluebird, "4 × Phone number", "$10.00")


class TestOneTimeCharge:
    def test_becomes_an_invoice_line(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        customer = browse(cast.ben)
        propose(partner, "Setup")

        open_notification(customer, "Northwind Agency proposes Setup")
        expect(customer.get_by_text("This is charged once.").first).to_be_visible()
        approve(customer, "Setup")
        expect_told(customer, "You approved Setup.")

        for page in (partner, customer):
            expect_line(page, cast.northwind_bluebird, "Setup", "$400.00")


class TestDecision:
    def test_is_made_once_by_the_faster_of_two(self, browse, committed_cast, send):
        request = send(committed_cast.growth)
        ben = browse(committed_cast.ben, path_of_request(request))
        bella = browse(committed_cast.bella)
        keep_from_hearing(bella)
        bella.goto(path_of_request(request))

        approve(ben, "Growth")
        expect_told(ben, "You approved Growth.")
        approve(bella, "Growth")

        refusal = bella.get_by_role("alert")
        expect(refusal).to_contain_text("Ben Tester approved this request on")
        expect(refusal).to_be_focused()
        assert faults(bella) == []
        assert committed_cast.northwind_bluebird.invoices.count() == 1

    def test_is_offered_neither_to_who_proposed_nor_to_who_only_reads(
        self, browse, committed_cast, send
    ):
        request = send(committed_cast.growth)

        for user in (committed_cast.noah, committed_cast.dora, committed_cast.theo):
            page = browse(user, path_of_request(request))
            expect(page.get_by_role("heading", level=1)).to_have_text("Start Growth")
            expect(page.get_by_role("button", name="Approve")).to_have_count(0)


class TestLive:
    def test_request_and_its_row_show_what_somebody_else_decided(
        self, browse, committed_cast, send
    ):
        request = send(committed_cast.growth)
        noah = browse(committed_cast.noah, path_of_request(request))
        maya = browse(committed_cast.maya, path_of(committed_cast.northwind_bluebird, "requests/"))
        ben = browse(committed_cast.ben, path_of_request(request))

        expect(maya.get_by_role("table")).to_contain_text("Waiting for approval")
        request.reject(by=committed_cast.bella, at=timezone.now(), note="Not this year.")

        for page in (noah, ben):
            expect_told(page, "Bella Tester rejected this request.", within=LIVE_WITHIN)
            expect(page.locator("#request")).to_contain_text("Not this year.")
            expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
            expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        expect(maya.get_by_role("table")).to_contain_text("Rejected", timeout=LIVE_WITHIN)
        for page in (noah, maya, ben):
            expect(page.locator("[data-live]")).to_have_count(0)
            assert faults(page) == []

    def test_an_act_is_answered_though_the_page_was_asking_for_news(
        self, browse, committed_cast, house, send
    ):
        with house.worker_halted():
            page = browse(committed_cast.ben, path_of_request(send(committed_cast.growth)))
        house.wait_until_worked_off()
        asked: list[Route] = []
        for by_itself in ("**/notifications/bell/*", page.url):
            page.route(by_itself, lambda route: asked.append(route))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        # Routes are heard while something is asked of the page.
        wait_until(lambda: bool(page.title()) and len(asked) == 2, "the page to ask")

        approve(page, "Growth")
        expect_told(page, "You approved Growth.")
        for route in asked:
            route.continue_()

        expect_unread(page, 1)
        expect_told(page, "You approved Growth.")


class TestBell:
    def test_is_right_at_once_when_somebody_comes_back_to_the_page(
        self, browse, committed_cast, house, send
    ):
        customer = browse(committed_cast.ben, path_of(committed_cast.northwind_bluebird))
        send(committed_cast.growth)
        house.wait_until_worked_off()

        customer.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        expect_unread(customer, 1, within=3_000)


class TestTakingBack:
    def test_a_revised_request_is_refused_and_the_new_one_approved(
        self, browse, committed_cast, send
    ):
        request = send(committed_cast.growth)
        partner = browse(committed_cast.noah, path_of_request(request))
        customer = browse(committed_cast.ben, path_of_request(request))

        partner.get_by_role("link", name="Revise").click()
        expect(partner.get_by_role("region", name="Start Growth")).to_contain_text("$149.00")
        choose(partner, "Scale")
        partner.get_by_role("button", name="Send the new request").click()
        expect_told(partner, "has the request now")
        approve(customer, "Growth")
        refusal = customer.get_by_role("alert")
        expect(refusal).to_contain_text("Noah Tester revised this request on")
        expect(refusal).to_be_focused()

        customer.get_by_role("link", name="See the new one").click()
        changes = customer.get_by_role("table").filter(has_text="Growth")
        expect(changes.first).to_contain_text("$149.00 a month")
        expect(changes.first).to_contain_text("$297.00 a month")
        approve(customer, "Scale")
        expect_told(customer, "You approved Scale.")

    def test_a_withdrawn_request_cannot_be_approved(self, browse, committed_cast, send):
        request = send(committed_cast.growth)
        partner = browse(committed_cast.noah, path_of_request(request))
        customer = browse(committed_cast.ben, path_of_request(request))

        partner.get_by_role("button", name="Withdraw").click()
        expect_told(partner, "You withdrew Growth.")
        approve(customer, "Growth")

        expect(customer.get_by_role("alert")).to_contain_text(
            "Noah Tester withdrew this request on"
        )
        expect(customer.get_by_role("button", name="Approve Growth")).to_have_count(0)
        assert not committed_cast.northwind_bluebird.invoices.exists()


class TestWhyThisCharge:
    def test_leads_from_the_line_to_the_person(self, browse, committed_cast, running):
        invoice = committed_cast.northwind_bluebird.invoices.get()
        customer = browse(
            committed_cast.ben, path_of(invoice.connection, f"invoices/{invoice.number}/")
        )
        customer.get_by_text("Why this charge?").click()

        steps = customer.get_by_role("group", name="Lines").get_by_role("listitem")
        expect(steps).to_have_count(4)
        expect(steps.nth(0)).to_contain_text("$149.00")
        expect(steps.nth(1)).to_contain_text("Noah Tester, Northwind Agency")
        expect(steps.nth(2)).to_contain_text(running.seal)
        expect(steps.nth(3)).to_contain_text("Approved by Ben Tester, Bluebird Clinic")
        expect(steps.nth(3)).to_contain_text("Go ahead.")

        steps.nth(1).get_by_role("link").click()
        expect(customer.get_by_role("heading", level=1)).to_have_text("Start Growth")
        expect(customer.get_by_text("Ben Tester approved this")).to_be_visible()


def expect_line(page: Page, connection: Connection, *words: str) -> None:
    """A line of the newest invoice has these words."""
    page.goto(path_of(connection))
    go(page, "Invoices")
    page.get_by_role("group", name="Invoices").get_by_role("row").nth(1).get_by_role("link").click()
    line = page.get_by_role("group", name="Lines").get_by_role("row")
    for word in words:
        line = line.filter(has_text=word)
    expect(line.first).to_be_visible()
