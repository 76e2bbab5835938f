"""Many Sub-Orgs at once: a file from its first mistake to the list that shows who is invited."""

import re

from playwright.sync_api import FilePayload, Page, expect

from tests.billing.deals import propose, run
from tests.billing.partners import clinics, file_of, take_tier

from .fitness import faults
from .steps import expect_told

LIST = "/organizations/northwind-agency/sub-orgs/"


def upload(page: Page, content: bytes) -> None:
    file: FilePayload = {"name": "sub-orgs.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()


class TestImport:
    def test_shows_mistakes_then_who_it_is_then_how_far_it_is(self, browse, committed_cast, house):
        take_tier(committed_cast, 41)
        page = browse(committed_cast.maya, LIST)
        page.get_by_role("link", name="Import").click()

        upload(page, file_of("Acme,ada@example.com,,", "=1+1,b@example.com,,", "Bay,b,,"))
        expect(page.get_by_role("alert")).to_contain_text("Nobody was invited.")
        expect(page.get_by_role("alert")).to_contain_text("Line 3, name")
        expect(page.get_by_role("alert")).to_contain_text("Line 4, email")
        assert faults(page) == []

        upload(page, clinics(41))
        expect(page.get_by_role("alert")).to_contain_text(
            "Starter allows 41 Sub-Orgs, and you have 1; these are 41 more."
        )
        expect(page.get_by_role("link", name="See the tiers")).to_be_visible()
        assert faults(page) == []

        upload(page, clinics(40))
        expect(page.get_by_role("heading", name="40 Sub-Orgs to invite")).to_be_visible()
        expect(page.get_by_role("table")).to_contain_text("owner-1@example.com")
        assert faults(page) == []

        page.get_by_role("button", name="Invite 40 Sub-Orgs").click()
        expect_told(page, "The invitations go out now, 40 of them.")
        # Without reloading: the page asks until it is over.
        expect(page.get_by_role("heading", level=1)).to_have_text("40 Sub-Orgs are invited")
        assert faults(page) == []
        assert house.mail_to("owner-40@example.com", about="invited to Clinic 40")

        page.get_by_role("link", name="See who is invited").click()
        expect(page.get_by_role("link", name="Invited 40")).to_have_attribute(
            "aria-current", "page"
        )

    def test_shows_how_far_it_is_without_javascript_too(self, browse, committed_cast):
        take_tier(committed_cast, None)
        page = browse(committed_cast.maya, f"{LIST}import/", javascript=False)

        upload(page, clinics(2))
        page.get_by_role("button", name="Invite 2 Sub-Orgs").click()
        for _ in range(50):
            if page.get_by_role("heading", name="2 Sub-Orgs are invited").count():
                break
            page.get_by_role("link", name="Look again").click()
            page.wait_for_timeout(200)

        expect(page.get_by_role("heading", level=1)).to_have_text("2 Sub-Orgs are invited")


class TestInvite:
    def test_offers_the_upgrade_when_the_tier_is_full(self, browse, committed_cast):
        take_tier(committed_cast, 1)
        page = browse(committed_cast.maya, f"{LIST}new/")

        page.get_by_label("Name of the Sub-Org").fill("Acme")
        page.get_by_label("E-mail of its first owner").fill("ada@example.com")
        page.get_by_role("button", name="Send invitation").click()

        expect(page.get_by_role("alert")).to_contain_text("Starter allows 1 Sub-Org")
        expect(page.get_by_label("Name of the Sub-Org")).to_have_value("Acme")
        assert faults(page) == []
        page.get_by_role("link", name="See the tiers").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Plan")


class TestList:
    def test_narrows_down_in_place_and_keeps_it_in_the_address(self, browse, committed_cast):
        run(committed_cast)
        propose(committed_cast, committed_cast.setup)
        page = browse(committed_cast.maya, LIST)

        page.get_by_label("Plan").select_option("Growth")
        page.get_by_role("button", name="Find").click()
        expect(page).to_have_url(re.compile(r"plan=Growth"))
        page.get_by_role("link", name="Waiting for a decision 1").click()
        expect(page).to_have_url(re.compile(r"plan=Growth.*waiting=yes"))
        export = page.get_by_role("link", name="CSV")
        expect(export).to_have_attribute("href", re.compile(r"plan=Growth.*waiting=yes"))
        expect(page.get_by_role("row", name="Bluebird Clinic")).to_contain_text("$149.00")
        assert faults(page) == []
