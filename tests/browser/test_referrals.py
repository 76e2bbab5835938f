"""A Partner brings others: one signs up through its link, another has earned for its months."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from payouts.affiliates.closing import pay_affiliates
from payouts.models import ReferralLink
from tests.payouts.affiliates.acts import bill, bring_partner, give, pay_owed, subscribe, tier

from .fitness import faults
from .steps import expect_told, go, path_of

DAY = timedelta(days=1)


class TestReferral:
    def test_earns_for_its_months_and_stops(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        give(cast.revampd, 20_00, 2)
        begun = now - 130 * DAY
        ada = bring_partner(cast.northwind, at=begun)
        subscribe(ada, tier(cast), at=begun)
        pay_owed(ada, at=begun)
        for days in (32, 64, 96):
            bill(ada, begun + days * DAY)
        for days in (10, 0):  # closed, and credited once it has waited
            pay_affiliates(at=now - days * DAY)

        page = browse(cast.maya, path_of(cast.revampd_northwind))
        go(page, "Affiliate Payouts")
        payouts = page.get_by_role("group", name="Affiliate payouts")
        expect(payouts.get_by_role("row")).to_have_count(3)
        expect(payouts.get_by_text("Applied")).to_have_count(2)
        page.get_by_role("link", name="Brought by you").click()
        brought = page.get_by_role("group", name="Brought by you")
        row = brought.get_by_role("row").filter(has_text="Ada & Co")
        expect(row).to_contain_text("Ended")
        expect(row).to_contain_text("$38.80")
        assert faults(page) == []

        page.get_by_role("button", name="Make another").click()
        expect_told(page, "This is your new link.")
        link = ReferralLink.objects.current().get()
        other = browse(cast.zed, f"/join/{link.code}/")
        other.get_by_role("link", name="Go on as zed@example.com").click()
        other.get_by_label("Name of your company").fill("Zed Works")
        other.get_by_role("button", name="Sign up").click()
        expect_told(other, "Welcome, Zed Works.")

        page.goto(path_of(cast.revampd_northwind, "affiliate-payouts/?show=referrals"))
        new = brought.get_by_role("row").filter(has_text="Zed Works")
        expect(new).to_contain_text("No plan yet")
