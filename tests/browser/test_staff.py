"""Staff at work in a browser: they look as a member, and watch a run."""

import pytest
from playwright.sync_api import expect

from billing.models import BillingRun
from connections.models import Viewing
from tests.billing.acts import agree

from .fitness import faults


@pytest.fixture
def rhea(committed_cast):
    committed_cast.rhea.is_superuser = True
    committed_cast.rhea.save(update_fields=["is_superuser"])
    return committed_cast.rhea


class TestViewAs:
    def test_shows_what_they_see_until_it_is_ended(self, browse, committed_cast, rhea):
        page = browse(rhea, f"/admin/connections/user/{committed_cast.ben.pk}/change/")
        page.get_by_role("link", name="View as…").click()
        page.get_by_label("Reason").fill("Does not find the invoice")
        page.get_by_role("button", name="Begin").click()

        banner = page.get_by_role("region", name="Looking as somebody else")
        expect(banner).to_contain_text("You see what Ben Tester sees.")
        expect(page.get_by_role("navigation", name="Main")).to_contain_text("Bluebird Clinic")
        page.goto(f"/connections/{committed_cast.northwind_bluebird.pk}/wallet/")
        expect(banner).to_be_in_viewport()
        assert faults(page) == []
        expect(banner).to_be_in_viewport()
        page.goto("/admin/")
        expect(banner).to_be_in_viewport()
        assert faults(page) == []

        page.get_by_role("button", name="End the view").click()
        expect(page.get_by_role("heading", name="Ben Tester")).to_be_visible()
        expect(banner).to_have_count(0)
        assert Viewing.objects.get().ended_at


class TestRun:
    def test_is_asked_for_and_shows_its_end_by_itself(self, browse, committed_cast, rhea):
        agree(committed_cast)
        page = browse(rhea, "/admin/billing/billingrun/")
        page.get_by_role("link", name="Start a run").click()
        page.get_by_role("radio", name="Dry run").check()
        page.get_by_label("Due by").fill("2031-01-10")
        page.get_by_role("button", name="Start").click()
        run = BillingRun.objects.get()
        page.goto(f"/admin/billing/billingrun/{run.pk}/change/")

        panel = page.locator("#run")
        expect(panel).to_contain_text("Ended, dry", timeout=30_000)
        expect(panel).to_contain_text("Would be issued")
        assert faults(page) == []
