"""A file of usage, from the first mistake to the invoice that charges it."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from billing.cycle import bill_due
from tests.billing.acts import agree
from tests.billing.usage.counting import file_of, metered

from .fitness import faults
from .steps import expect_told, path_of


def upload(page: Page, content: bytes) -> None:
    file: FilePayload = {"name": "usage.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()


class TestImport:
    def test_shows_mistakes_then_what_it_comes_to_then_the_entries(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        connection, today = cast.northwind_bluebird, cast.northwind_bluebird.day_of(now)
        agree(cast, metered(cast), at=now - timedelta(days=20))
        page = browse(cast.noah, path_of(connection, "plan/"))
        page.get_by_role("link", name="All usage").click()
        page.get_by_role("link", name="Import CSV").click()

        upload(page, file_of(f"booking,{today},12,B-1", f"booking,{today},x,B-2"))
        expect(page.get_by_role("alert")).to_contain_text("Line 3, quantity")
        assert faults(page) == []

        upload(page, file_of(f"booking,{today},12,B-1", f"transfer,{today},4,T-1"))
        expect(page.get_by_text("2 rows to enter")).to_be_visible()
        expect(page.get_by_role("table")).to_contain_text("$27.00")
        assert faults(page) == []

        page.get_by_role("button", name="Enter 2 rows").click()
        expect_told(page, "2 rows of usage are entered")
        expect(page.get_by_role("table")).to_contain_text("12 bookings")
        bill_due(at=now + timedelta(days=31))
        page.reload()
        page.get_by_role("link", name="INV-").first.click()
        expect(page.get_by_role("region", name="Lines")).to_contain_text("12 bookings")
        page.get_by_role("link", name="See the usage").first.click()
        expect(page.get_by_role("table")).to_contain_text("B-1")


class TestByHand:
    def test_says_what_is_wrong_beside_the_field(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        agree(cast, metered(cast), at=now - timedelta(days=20))
        page = browse(cast.noah, path_of(cast.northwind_bluebird, "usage/new/"))

        page.get_by_label("Bookings").check()
        page.get_by_label("How many?").fill("9")
        page.get_by_label("Day").fill("2020-02-29")
        page.get_by_role("button", name="Enter usage").click()
        expect(page.get_by_role("alert")).to_contain_text("29 Feb 2020 is more than a year ago.")
        assert faults(page) == []

        page.get_by_label("Day").fill(str(cast.northwind_bluebird.day_of(now)))
        page.get_by_role("button", name="Enter usage").click()
        expect_told(page, "9 bookings on")
        expect(page.get_by_role("table")).to_contain_text("$18.00")
