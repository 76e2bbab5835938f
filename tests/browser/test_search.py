"""Search by keyboard alone, on every page; and without a script."""

from urllib.parse import quote

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import BillingRequest
from billing.models.proposals import Proposal

from .fitness import PHONE, faults
from .steps import path_of, path_of_request


def palette(page: Page):
    return page.get_by_role("dialog", name="Search")


def look_for(page: Page, text: str) -> None:
    """Open the palette, type, and wait for an answer to what was typed."""
    page.keyboard.press("Control+k")
    expect(palette(page).get_by_role("combobox")).to_be_focused()
    asked = f"/search/palette/?q={quote(text)}"
    with page.expect_response(lambda answer: answer.url.endswith(asked)):
        page.keyboard.type(text)


@pytest.fixture
def request_sent(committed_cast) -> BillingRequest:
    return BillingRequest.propose(
        Proposal(committed_cast.growth),
        connection=committed_cast.northwind_bluebird,
        by=committed_cast.noah,
        at=timezone.now(),
    )


class TestPalette:
    def test_leads_to_a_request_by_keyboard_alone(self, browse, committed_cast, request_sent):
        page = browse(committed_cast.ben, "/connections/")
        look_for(page, "growth")
        option = palette(page).get_by_role("option", name="Growth")
        expect(option).to_be_visible()

        page.keyboard.press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")

        page.wait_for_url(f"**{path_of_request(request_sent)}")
        expect(palette(page)).to_be_hidden()

    def test_goes_to_a_page_of_a_menu(self, browse, committed_cast):
        page = browse(committed_cast.vera, "/notifications/")
        look_for(page, "wallet blue")
        expect(
            palette(page).get_by_role("group", name="Go to").get_by_role("option")
        ).to_have_count(1)

        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")

        page.wait_for_url(f"**{path_of(committed_cast.northwind_bluebird, 'wallet/')}")

    def test_opens_by_the_command_key_on_a_mac(self, browse, committed_cast):
        page = browse(committed_cast.ben, "/connections/")
        page.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'platform', {get: () => 'MacIntel'})"
        )
        page.reload()
        expect(page.get_by_text("⌘ K")).to_be_visible()

        page.keyboard.press("Control+k")
        expect(palette(page)).to_be_hidden()
        page.keyboard.press("Meta+k")

        expect(palette(page).get_by_role("combobox")).to_be_focused()

    def test_gives_the_focus_back(self, browse, committed_cast):
        page = browse(committed_cast.ben, "/connections/")
        button = page.get_by_role("link", name="Search", exact=True)
        button.focus()
        page.keyboard.press("Enter")
        expect(palette(page)).to_be_visible()

        page.keyboard.press("Escape")

        expect(palette(page)).to_be_hidden()
        expect(button).to_be_focused()
        page.keyboard.press("Control+k")
        page.keyboard.press("Control+k")
        expect(palette(page)).to_be_hidden()

    def test_shows_everything_on_a_page_if_nothing_is_chosen(self, browse, committed_cast):
        page = browse(committed_cast.maya, "/connections/")
        look_for(page, "blue")
        page.keyboard.press("Enter")

        page.wait_for_url("**/search/?q=blue")
        expect(page.get_by_role("region", name="Connections")).to_contain_text("Bluebird Clinic")

    def test_chooses_nothing_that_was_found_for_other_words(self, browse, committed_cast):
        page = browse(committed_cast.maya, "/connections/")
        look_for(page, "blue")
        options = palette(page).get_by_role("option")
        expect(options).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.type("!")

        expect(palette(page).locator("[aria-selected=true]")).to_have_count(0)

    @pytest.mark.parametrize("text", ["", "tester", "nobody at all"])
    def test_is_fit_for_everybody(self, browse, committed_cast, text):
        page = browse(committed_cast.maya, "/connections/")
        look_for(page, text) if text else page.keyboard.press("Control+k")
        expect(palette(page)).to_be_visible()
        page.wait_for_timeout(300)

        assert faults(page) == []
        page.set_viewport_size(PHONE)
        box = palette(page).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]


class TestWithoutScript:
    def test_is_a_link_and_a_form(self, browse, committed_cast, request_sent):
        page = browse(committed_cast.ben, "/connections/", javascript=False)
        page.get_by_role("link", name="Search", exact=True).click()
        page.get_by_role("searchbox", name="What to look for").fill("growth")
        page.get_by_role("button", name="Search").click()

        page.get_by_role("region", name="Requests").get_by_role("link", name="Growth").click()

        page.wait_for_url(f"**{path_of_request(request_sent)}")
