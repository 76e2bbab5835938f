"""A Partner and its tier, as Maya lives it in a browser: comparing, changing, ending, add-ons."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.cycle import bill_due
from billing.models import Subscription
from billing.models.due import upcoming
from revampd.kit.money import Money
from tests.billing.tiering import OnSale, add, choose, own, put_on_sale, sub_orgs
from tests.cast import Cast, between, connect

from .fitness import faults
from .steps import expect_told, go, path_of
from .test_hands import press, round_trip
from .test_paying import add_card


@pytest.fixture
def sale(committed_cast: Cast) -> OnSale:
    return put_on_sale(committed_cast)


@pytest.fixture
def plan(browse, committed_cast: Cast, sale: OnSale) -> Page:
    """The Plan page, with Starter running for ten days."""
    choose(committed_cast, sale.starter, at=timezone.now() - timedelta(days=10))
    page: Page = browse(committed_cast.maya, path_of(committed_cast.revampd_northwind, "plan/"))
    return page


def tier_on(cast: Cast, days: int) -> str | None:
    """The tier of the day so many days after the next billing cycle."""
    running = Subscription.running_on(cast.revampd_northwind)
    plan = running.plan_on(running.next_invoice + timedelta(days=days))
    return plan.name if plan else None


def expect_next_invoice(page: Page, cast: Cast, *parts: str) -> None:
    """Its lines stand on the Plan page with what each costs; one of them has all these parts."""
    page.goto(path_of(cast.revampd_northwind, "plan/"))
    shown = page.get_by_role("region", name="Next invoice")
    account = upcoming(cast.revampd_northwind, cast.revampd_northwind.today)
    assert account
    lines = account.drafts[0].lines
    for line in lines:
        expect(shown).to_contain_text(line.description)
        expect(shown).to_contain_text(str(Money(line.amount)))
    assert any(all(part in line.description for part in parts) for line in lines)


class TestFirstSteps:
    def test_lead_from_an_address_to_the_first_sub_org(self, browse, committed_cast, sale):
        cast = committed_cast
        new = connect(cast.revampd, "Kestrel Studio", cast.zed, by=cast.rhea)
        own = between(cast.revampd, new)
        page = browse(cast.zed, path_of(own))
        steps = page.get_by_role("region", name="First steps")
        expect(steps).to_contain_text("0 of 4 done")
        assert faults(page) == []

        steps.get_by_role("link", name="Enter the address").click()
        page.get_by_label("Address").fill("1 Harbor Road, Portland")
        page.get_by_role("button", name="Save").click()
        page.goto(path_of(own))
        expect(steps).to_contain_text("1 of 4 done")

        add_card(page)
        page.goto(path_of(own))
        expect(steps).to_contain_text("2 of 4 done")

        steps.get_by_role("link", name="Compare tiers").click()
        page.get_by_role("link", name="Start Starter").click()
        expect(page.get_by_role("main")).to_contain_text("$97.00")
        page.get_by_role("button", name="Start Starter").click()
        page.goto(path_of(own))
        expect(steps).to_contain_text("3 of 4 done")

        steps.get_by_role("link", name="Invite a Sub-Org").click()
        page.get_by_label("Name of the Sub-Org").fill("Harbor Dental")
        page.get_by_label("E-mail of its first owner").fill("ada@example.com")
        page.get_by_role("button", name="Send invitation").click()
        page.goto(path_of(own))
        expect(steps).to_have_count(0)


class TestTier:
    def test_is_compared_and_upgraded(self, plan, committed_cast):
        table = plan.get_by_role("table").filter(has_text="Transaction fee")
        expect(table.get_by_role("row", name="Sub-Orgs")).to_contain_text("40 more")
        expect(table.get_by_role("columnheader", name="Starter")).to_contain_text("Your tier")

        table.get_by_role("link", name="Upgrade to Pro").click()
        expect(plan.get_by_role("main")).to_contain_text("Starter runs until then")
        expect(plan.get_by_role("row", name="Next invoice")).to_contain_text("$97.00")
        expect(plan.get_by_role("row", name="Next invoice")).to_contain_text("$297.00")
        assert faults(plan) == []
        plan.get_by_role("button", name="Upgrade to Pro").click()

        expect_told(plan, "Pro starts on")
        expect(plan.get_by_role("region", name="Scheduled")).to_contain_text("then Pro")
        assert (tier_on(committed_cast, -1), tier_on(committed_cast, 0)) == ("Starter", "Pro")

    def test_is_downgraded_and_that_is_undone(self, browse, committed_cast, sale):
        cast = committed_cast
        choose(cast, sale.scale)
        page = browse(cast.noah, path_of(cast.revampd_northwind, "plan/"))

        page.get_by_role("link", name="Downgrade to Pro").click()
        page.get_by_role("button", name="Downgrade to Pro").click()
        expect_told(page, "Pro starts on")
        assert tier_on(cast, 0) == "Pro"
        page.get_by_role("button", name="Undo: keep Scale").click()

        expect_told(page, "Undone.")
        expect(page.get_by_role("region", name="Scheduled")).to_have_count(0)
        assert tier_on(cast, 0) == "Scale"

    def test_is_not_downgraded_below_twelve_sub_orgs(self, browse, committed_cast, sale):
        cast = committed_cast
        choose(cast, sale.pro)
        sub_orgs(cast, 12)
        page = browse(cast.maya, path_of(cast.revampd_northwind, "plan/"))

        page.get_by_role("link", name="Downgrade to Starter").click()

        expect(page.get_by_role("alert")).to_contain_text("12 Sub-Orgs, Starter allows 10.")
        expect(page.get_by_role("alert")).to_contain_text("Choose a larger tier")
        expect(page.get_by_role("button", name="Downgrade")).to_have_count(0)
        assert tier_on(cast, 0) == "Pro"

    def test_is_canceled_and_kept_after_all(self, plan, committed_cast):
        plan.get_by_role("link", name="Cancel the plan").click()
        expect(plan.get_by_role("main")).to_contain_text("No further invoice comes")
        assert faults(plan) == []
        plan.get_by_role("button", name="Cancel Starter on").click()

        expect_told(plan, "You can undo it until then.")
        expect(plan.get_by_role("region", name="Scheduled")).to_contain_text("You canceled Starter")
        assert tier_on(committed_cast, 0) is None
        plan.get_by_role("button", name="Undo: keep Starter").click()

        expect_told(plan, "Undone.")
        assert tier_on(committed_cast, 0) == "Starter"

    def test_comes_back_after_it_has_ended(self, browse, committed_cast, sale):
        cast, begun = committed_cast, timezone.now() - timedelta(days=70)
        choose(cast, sale.starter, at=begun)
        own(cast).cancel(by=cast.maya, at=begun)
        bill_due(at=timezone.now())
        page = browse(cast.maya, path_of(cast.revampd_northwind, "plan/"))

        expect(page.get_by_role("main")).to_contain_text("No tier runs")
        page.get_by_role("link", name="Start Pro").click()
        expect(page.get_by_role("main")).to_contain_text("It starts today")
        page.get_by_role("button", name="Start Pro").click()

        expect_told(page, "Pro starts on")
        expect(page.get_by_role("region", name="Today")).to_contain_text("Pro")

    def test_is_changed_without_javascript(self, plan, browse, committed_cast):
        path = path_of(committed_cast.revampd_northwind, "plan/")
        page = browse(committed_cast.maya, path, javascript=False, width=360)

        page.get_by_role("link", name="Upgrade to Scale").click()
        page.get_by_role("button", name="Upgrade to Scale").click()

        expect_told(page, "Scale starts on")

    def test_is_canceled_and_kept_without_javascript(self, plan, browse, committed_cast):
        path = path_of(committed_cast.revampd_northwind, "plan/")
        page = browse(committed_cast.maya, path, javascript=False, width=360)

        page.get_by_role("link", name="Cancel the plan").click()
        page.get_by_role("button", name="Cancel Starter on").click()
        assert tier_on(committed_cast, 0) is None
        page.get_by_role("button", name="Undo: keep Starter").click()

        expect_told(page, "Undone.")
        assert tier_on(committed_cast, 0) == "Starter"

    @pytest.mark.parametrize(
        "place", ["plan/", "plan/cancellation/", "add-ons/", "invoices/", "wallet/"]
    )
    def test_every_stop_is_visible_and_none_is_a_trap(self, plan, committed_cast, place):
        plan.goto(path_of(committed_cast.revampd_northwind, place))

        assert round_trip(plan) > 10

    def test_is_chosen_by_keyboard_alone(self, plan, committed_cast):
        press(plan, plan.get_by_role("link", name="Upgrade to Pro"), "Enter")
        expect(plan.get_by_role("main")).to_contain_text("Starter runs until then")
        press(plan, plan.get_by_role("button", name="Upgrade to Pro"), "Enter")

        expect_told(plan, "Pro starts on")


class TestAddOns:
    def test_are_added_and_partly_removed(self, plan, committed_cast):
        go(plan, "Add-Ons")
        plan.get_by_role("link", name="Add Phone number").click()
        plan.get_by_label("How many?").fill("3")
        expect(plan.locator("#preview")).to_contain_text("then $12.00 each month")
        expect(plan.locator("#preview")).to_contain_text("for the rest of this period")
        assert faults(plan) == []
        plan.get_by_role("button", name="Add them").click()

        expect_told(plan, "3 × Phone number from today on.")
        expect_next_invoice(plan, committed_cast, "3 × Phone number", " days)")
        plan.goto(path_of(committed_cast.revampd_northwind, "add-ons/"))
        plan.get_by_role("link", name="Remove Phone number").click()
        plan.get_by_label("How many?").fill("1")
        expect(plan.locator("#preview")).to_contain_text("2 of 3 stay.")
        assert faults(plan) == []
        plan.get_by_role("button", name="Remove", exact=True).click()

        expect_told(plan, "You can undo it until then.")
        running = plan.get_by_role("group", name="Add-ons that run")
        expect(running).to_contain_text("2 × Phone number")
        expect(running).to_contain_text("Scheduled")
        expect_next_invoice(plan, committed_cast, "2 × Phone number")

    def test_are_removed_and_kept_without_javascript(self, plan, browse, committed_cast, sale):
        add(committed_cast, sale.numbers, 2)
        path = path_of(committed_cast.revampd_northwind, "add-ons/")
        page = browse(committed_cast.maya, path, javascript=False, width=360)

        page.get_by_role("link", name="Remove Phone number").click()
        page.get_by_role("button", name="Remove", exact=True).click()
        expect_told(page, "You can undo it until then.")
        page.get_by_role("button", name="Undo").first.click()

        expect_told(page, "Phone number")
        running = Subscription.running_on(committed_cast.revampd_northwind)
        lasting = [item for item in running.items if item.lasts_after(running.next_invoice)]
        assert {item.name: item.quantity for item in lasting}["Phone number"] == 2

    def test_are_added_without_javascript_at_the_price_that_was_shown(
        self, plan, browse, committed_cast
    ):
        path = path_of(committed_cast.revampd_northwind, "add-ons/")
        page = browse(committed_cast.maya, path, javascript=False)

        page.get_by_role("link", name="Add Phone number").click()
        page.get_by_label("How many?").fill("3")
        page.get_by_role("button", name="Add them").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was changed yet.")
        page.get_by_role("button", name="Add them").click()

        expect_told(page, "3 × Phone number from today on.")
