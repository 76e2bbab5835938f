"""Wrong input: said beside the field, with what was typed kept and the focus on what is wrong."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from .fitness import faults
from .steps import choose, go_to_new_request, path_of

DAY = re.compile(r"^Day\b")

# As in a browser that checks nothing itself.
UNCHECKED = """
document.querySelectorAll("main form").forEach((form) => (form.noValidate = true));
document.querySelectorAll("[maxlength]").forEach((field) => field.removeAttribute("maxlength"));
"""


def yesterday() -> str:
    return str(timezone.localdate() - timedelta(days=1))


def in_the_past(page: Page) -> None:
    page.get_by_role("radio", name="On a day").check()
    page.get_by_label(DAY).fill(yesterday())


def too_long_a_note(page: Page) -> None:
    page.get_by_label("Note").fill("x" * 2001)


def none_at_all(page: Page) -> None:
    choose(page, "Phone number")
    page.get_by_label("Quantity").fill("0")


def nothing_to_join(page: Page) -> None:
    choose(page, "Phone number")


MISTAKES = [
    (in_the_past, "Choose today or a later day."),
    (too_long_a_note, "2,000 characters"),
    (none_at_all, "Enter at least 1."),
    (nothing_to_join, "Bluebird Clinic has no plan that an add-on could join."),
]


@pytest.fixture
def form(browse, committed_cast) -> Page:
    """A new request, with Growth chosen."""
    page = browse(committed_cast.noah, path_of(committed_cast.northwind_bluebird))
    go_to_new_request(page)
    choose(page, "Growth")
    page.get_by_label("Note").fill("Typed with care.")
    return page


class TestRequestForm:
    @pytest.mark.parametrize(("mistake", "sentence"), MISTAKES)
    def test_keeps_what_was_typed_and_points_at_the_mistake(
        self, form: Page, committed_cast, mistake: Callable[[Page], None], sentence: str
    ):
        form.evaluate(UNCHECKED)
        mistake(form)
        note = form.get_by_label("Note").input_value()
        form.get_by_role("button", name="Send request").click()

        summary = form.get_by_role("alert")
        expect(summary).to_contain_text(sentence)
        expect(summary).to_be_focused()
        expect(form.locator("[aria-invalid=true]").first).to_be_visible()
        expect(form.get_by_label("Note")).to_have_value(note)
        assert not committed_cast.northwind_bluebird.billing_requests.exists()
        assert faults(form) == []

    def test_is_not_even_sent_by_a_browser_that_checks(self, form, committed_cast):
        in_the_past(form)
        form.get_by_role("button", name="Send request").click()

        expect(form.get_by_label(DAY)).to_be_focused()
        assert not committed_cast.northwind_bluebird.billing_requests.exists()

    def test_shows_beforehand_what_the_customer_will_see(self, form):
        preview = form.get_by_role("region", name="Start Growth")
        expect(preview).to_contain_text("What Bluebird Clinic will see")
        expect(preview).to_contain_text("$149.00")

        choose(form, "Scale")
        expect(form.get_by_role("region", name="Start Scale")).to_contain_text("$297.00")
