"""The same road without a script, and without a mouse."""

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from tests.billing.deals import run

from .steps import (
    approve,
    choose,
    expect_told,
    go_to_new_request,
    notification,
    open_notification,
    path_of,
    path_of_request,
    propose,
)

STOPS = 120  # more than any page has

# Where the focus is shown: on the element itself, on a card around it, or on a link over its row.
SHOWS_FOCUS = """(element) => {
  const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const box = element.getBoundingClientRect();
  const inView = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  const around = [element, element.parentElement, element.parentElement.parentElement];
  const shown = around.some((each) => ring(getComputedStyle(each)));
  const seen = inView && (shown || ring(getComputedStyle(element, "::after")));
  return seen ? "" : element.outerHTML.slice(0, 300);
}"""


class TestWithoutScript:
    def test_a_plan_is_proposed_approved_and_billed(self, browse, committed_cast):
        cast = committed_cast
        options = {"javascript": False}
        partner = browse(cast.noah, path_of(cast.northwind_bluebird), **options)
        customer = browse(cast.ben, **options)

        go_to_new_request(partner)
        choose(partner, "Growth")
        partner.get_by_role("button", name="Preview").click()
        preview = partner.get_by_role("region", name="Start Growth")
        expect(preview).to_contain_text("$149.00")
        partner.get_by_role("button", name="Send request").click()
        expect_told(partner, "Bluebird Clinic has the request now.")

        open_notification(customer, "Northwind Agency proposes Growth")
        approve(customer, "Growth", note="Glad to start.")
        expect_told(customer, "You approved Growth.")
        expect(customer.get_by_text("Ben Tester approved this")).to_be_visible()
        decision = notification(partner, "Bluebird Clinic approved Growth")
        expect(decision).to_contain_text("Glad to start.")
        customer.goto(path_of(cast.northwind_bluebird, "plan/"))
        expect(customer.get_by_role("group", name="What runs")).to_contain_text("$149.00")

    def test_a_request_is_decided_from_the_list_of_notifications(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird), javascript=False)
        customer = browse(cast.ben, javascript=False)
        propose(partner, "Growth")

        approve(notification(customer, "Northwind Agency proposes Growth"), "Growth")

        expect(customer.get_by_role("heading", level=1)).to_have_text("Notifications")
        expect_told(customer, "You approved Growth.")

    def test_a_lost_race_is_told_on_the_page(self, browse, committed_cast):
        cast = committed_cast
        request = sent(cast)
        customer = browse(cast.ben, path_of_request(request), javascript=False)
        request.withdraw(by=cast.noah, at=timezone.now())

        approve(customer, "Growth")

        expect(customer.get_by_role("alert")).to_contain_text(
            "Noah Tester withdrew this request on"
        )


class TestWithoutMouse:
    def test_a_plan_is_proposed_and_approved(self, browse, committed_cast):
        cast = committed_cast
        partner = browse(cast.noah, path_of(cast.northwind_bluebird))
        press(partner, partner.get_by_role("link", name="New request"), "Enter")
        expect(partner.get_by_role("heading", level=1)).to_have_text(
            "New request to Bluebird Clinic"
        )
        press(partner, partner.get_by_role("radio", name="Growth").first, "Space")
        tab_to(partner, partner.get_by_label("Note"))
        partner.keyboard.type("As agreed on the phone.")
        press(partner, partner.get_by_role("button", name="Send request"), "Enter")
        expect(partner.get_by_role("heading", level=1)).to_have_text("Start Growth")

        request = cast.northwind_bluebird.billing_requests.get()
        customer = browse(cast.ben)
        press(customer, customer.get_by_role("link", name="Review Growth"), "Enter")
        expect(customer.get_by_role("heading", level=1)).to_have_text("Start Growth")
        press(customer, customer.get_by_text("Add a note"), "Enter")
        tab_to(customer, customer.get_by_label("Note on Growth"))
        customer.keyboard.type("Glad to start.")
        tab_to(customer, customer.get_by_role("button", name="Approve Growth"), back=True)
        customer.keyboard.press("Space")
        expect_told(customer, "You approved Growth.")
        request.refresh_from_db()
        assert request.decision_note == "Glad to start."
        # Whoever pressed a button that has gone stands where the answer is.
        expect(customer.locator("#request:focus, #request :focus")).to_have_count(1)

    @pytest.mark.parametrize("place", ["plan/", "requests/", "requests/new/", "invoices/", ""])
    def test_every_stop_is_visible_and_none_is_a_trap(self, browse, committed_cast, place):
        page = browse(committed_cast.noah, path_of(committed_cast.northwind_bluebird, place))

        assert round_trip(page) > 10

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("maya", "/organizations/northwind-agency/"),
            ("maya", "/organizations/northwind-agency/sub-orgs/"),
            ("maya", "/search/?q=blue"),
            ("ben", "/organizations/bluebird-clinic/"),
        ],
    )
    def test_homes_lists_and_searches_are_walked_as_well(self, browse, committed_cast, name, path):
        run(committed_cast)
        page = browse(getattr(committed_cast, name), path)

        assert round_trip(page) > 10


def sent(cast) -> BillingRequest:
    return BillingRequest.propose(
        Proposal(cast.growth),
        connection=cast.northwind_bluebird,
        by=cast.noah,
        at=timezone.now(),
    )


def press(page: Page, target: Locator, key: str) -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab until the focus is on `target`; every stop on the way must be visible."""
    for _ in range(STOPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        expect_visible_focus(page)
        if target.first.evaluate("(it) => it === document.activeElement.closest(it.tagName)"):
            return
    pytest.fail(f"the keyboard does not reach {target}")


def round_trip(page: Page) -> int:
    """Press Tab until the focus leaves the page. Returns at how many stops."""
    for stop in range(STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return stop
        expect_visible_focus(page)
    pytest.fail("the focus never leaves the page")


def expect_visible_focus(page: Page) -> None:
    where = page.evaluate(f"({SHOWS_FOCUS})(document.activeElement)")
    assert where == "", f"nobody sees where the focus is: {where}"
