"""A ticket from the first question to the paid work, as five people live it in their browsers."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from revampd import charges
from tests.cast import Cast
from tests.tickets.acts import SECRET, answer, submit, support

from .steps import LIVE_WITHIN, expect_told, expect_unread, go, open_notification, path_of


def thread(page: Page):
    return page.get_by_role("log", name="Conversation")


def write(page: Page, text: str, *, to: str = "") -> None:
    if to:
        page.get_by_role("radio", name=to).check()
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(thread(page)).to_contain_text(text)


def submit_by_hand(page: Page, title: str, text: str) -> None:
    go(page, "Submit Ticket")
    page.get_by_label("Title").fill(title)
    page.get_by_role("radio", name="High").check()
    page.get_by_label("Description").fill(text)
    page.get_by_role("button", name="Submit Ticket").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


class TestTicket:
    def test_goes_from_the_customer_to_revampd_and_back_and_is_paid(self, browse, committed_cast):
        cast: Cast = committed_cast
        support(cast)
        connection = cast.northwind_bluebird
        sam, dana = browse(cast.sam, path_of(connection)), browse(cast.dana, path_of(connection))

        # The customer asks, and the support owner is told.
        submit_by_hand(sam, "Booking form is broken", "It says 500 since noon.")
        expect_unread(dana, 1)
        open_notification(dana, "Bluebird Clinic asks: Booking form is broken")

        # An answer for everybody, a note for Northwind alone.
        write(dana, "We are on it.", to="Bluebird Clinic too")
        expect(thread(sam)).to_contain_text("We are on it.", timeout=LIVE_WITHIN)
        write(dana, SECRET, to="Only Northwind Agency")

        # To Revampd, whose answer the customer does not see, and back.
        dana.get_by_label("What Revampd should know").fill("Is the form builder down?")
        dana.get_by_role("button", name="Escalate").click()
        expect_told(dana, "Revampd reads this ticket now")
        rhea = browse(cast.rhea)
        open_notification(rhea, "Northwind Agency escalates: Booking form is broken")
        expect(thread(rhea)).to_contain_text("It says 500 since noon.")
        expect(thread(rhea)).not_to_contain_text(SECRET)
        write(rhea, "It was, until 9:10.", to="Northwind Agency and Revampd")
        expect(thread(dana)).to_contain_text("It was, until 9:10.", timeout=LIVE_WITHIN)
        dana.get_by_role("button", name="Take it back").click()
        expect_told(dana, "yours alone again")

        # Resolved, and opened again by a reply.
        dana.get_by_label("Status").select_option("Resolved")
        dana.get_by_role("button", name="Save").click()
        expect(thread(sam)).to_contain_text("set the status to Resolved", timeout=LIVE_WITHIN)
        write(sam, "Still broken for our second site.")
        expect(thread(sam)).to_contain_text("reopened this by replying", timeout=LIVE_WITHIN)

        # Work that costs something is offered and approved inside.
        maya = browse(cast.maya, sam.url)
        maya.get_by_role("link", name="Offer a charge").click()
        maya.get_by_role("radio", name=re.compile("^Setup")).check()
        maya.get_by_label("Note").fill("One hour for the second site")
        maya.get_by_role("button", name="Send request").click()
        expect(thread(maya)).to_contain_text("proposed Setup, $400.00 once")
        ben = browse(cast.ben, sam.url)
        thread(ben).get_by_role("button", name="Approve Setup").click()
        expect(thread(ben)).to_contain_text("Approved")
        expect(thread(maya)).to_contain_text("Ben Tester", timeout=LIVE_WITHIN)
        expect(thread(ben)).to_contain_text("approved Setup", ignore_case=True, timeout=LIVE_WITHIN)

        # The invoice names ticket and approval; the customer never saw the rest.
        ben.goto(path_of(connection, "invoices/1/"))
        expect(ben.get_by_role("main")).to_contain_text("Setup, Ticket #1")
        ben.get_by_text("Why this charge?").first.click()
        reason = ben.get_by_role("main").get_by_role("link", name="Booking form is broken")
        expect(reason).to_be_visible()
        sam.reload()
        for hidden in (SECRET, "It was, until 9:10.", "form builder", "Revampd"):
            expect(thread(sam)).not_to_contain_text(hidden)


class TestLive:
    def test_brings_what_others_write_and_leaves_what_is_typed(self, browse, committed_cast):
        cast = committed_cast
        ticket = submit(cast, at=timezone.now())
        sam = browse(cast.sam, path_of(cast.northwind_bluebird, f"tickets/{ticket.pk}/"))
        sam.get_by_label("Message").fill("I was just writ")

        answer(ticket, cast.dana, "It is fixed.", at=timezone.now())

        expect(thread(sam)).to_contain_text("It is fixed.", timeout=LIVE_WITHIN)
        expect(sam.get_by_label("Message")).to_have_value("I was just writ")
        expect(sam.get_by_label("Message")).to_be_focused()

    def test_says_each_message_once(self, browse, committed_cast):
        cast = committed_cast
        ticket = submit(cast, at=timezone.now())
        sam = browse(cast.sam, path_of(cast.northwind_bluebird, f"tickets/{ticket.pk}/"))

        write(sam, "Only once, please.")
        sam.wait_for_timeout(11_000)

        expect(thread(sam).get_by_text("Only once, please.")).to_have_count(1)


class TestOffer:
    def test_shows_in_every_open_window_how_it_was_decided(self, browse, committed_cast):
        cast = committed_cast
        ticket = submit(cast, at=timezone.now())
        path = path_of(cast.northwind_bluebird, f"tickets/{ticket.pk}/")
        request = BillingRequest.propose(
            Proposal(cast.setup, about=charges.about(ticket)),
            connection=cast.northwind_bluebird,
            by=cast.noah,
            at=timezone.now(),
        )
        bella, maya = browse(cast.bella, path), browse(cast.maya, path)
        approve = thread(bella).get_by_role("button", name="Approve Setup")
        card = maya.locator(f"#notified-{request.pk}")
        expect(approve).to_be_visible()
        expect(card).to_contain_text("Review")

        request.approve(by=cast.ben, seal=request.seal, at=timezone.now())

        expect(approve).to_have_count(0, timeout=LIVE_WITHIN)
        expect(bella.locator(f"#notified-{request.pk}")).to_contain_text("Ben Tester")
        expect(card).to_contain_text("See the request", timeout=LIVE_WITHIN)
        expect(card).to_have_count(1)


class TestWithoutJavaScript:
    def test_asks_answers_and_reads(self, browse, committed_cast, tmp_path):
        cast = committed_cast
        support(cast)
        log = tmp_path / "error.log"
        log.write_text("line 1\n")
        sam = browse(cast.sam, path_of(cast.northwind_bluebird), javascript=False)
        submit_by_hand(sam, "No mails", "None since noon.")
        dana = browse(cast.dana, sam.url, javascript=False)

        dana.get_by_role("radio", name="Bluebird Clinic too").check()
        dana.get_by_label("Message").fill("See the log.")
        dana.get_by_label("Attachments").set_input_files(log)
        dana.get_by_role("button", name="Send").click()
        sam.reload()
        with sam.expect_download() as download:
            sam.get_by_role("link", name="error.log").click()

        assert download.value.path().read_text() == "line 1\n"
        sam.get_by_role("button", name="Mark as read").click()
        expect(sam.get_by_role("button", name="Mark as read")).to_have_count(0)

    @pytest.mark.parametrize("javascript", [True, False])
    def test_keeps_what_was_typed_beside_what_is_wrong(
        self, browse, committed_cast, tmp_path, javascript
    ):
        cast = committed_cast
        ticket = submit(cast, at=timezone.now())
        page = tmp_path / "page.html"
        page.write_text("<script>alert(1)</script>")
        path = path_of(cast.northwind_bluebird, f"tickets/{ticket.pk}/")
        sam = browse(cast.sam, path, javascript=javascript)

        sam.get_by_label("Message").fill("See this page.")
        sam.get_by_label("Attachments").set_input_files(page)
        sam.get_by_role("button", name="Send").click()

        expect(sam.get_by_text("“page.html” is a web page").first).to_be_visible()
        expect(sam.get_by_label("Message")).to_have_value("See this page.")
