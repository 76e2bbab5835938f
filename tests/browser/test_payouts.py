"""A Partner draws what it earned: a week, a split, a transfer that comes back and is sent again."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from payouts.sending import send_transfers
from tests.cast import PASSWORD
from tests.payouts.acts import close, link_bank, put_on_tier, sell

from .fitness import DESKTOP, faults
from .steps import expect_told, go, path_of

DAY = timedelta(days=1)


def link(page: Page, bank: str) -> None:
    """From the page of payouts, over the gateway's page and back."""
    page.get_by_role("link", name="Where they go").click()
    page.get_by_role("button", name=re.compile("^Link ")).click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name=re.compile("^Link ")).click()
    expect(page.get_by_role("complementary", name="Warning")).to_contain_text("no real money")
    page.get_by_role("button", name=re.compile(f"^{bank}")).click()
    expect_told(page, f"{bank} ending")


def choose(page: Page, way: str) -> None:
    page.get_by_role("radio", name=re.compile(f"^{way}")).check()


def expect_paid(page: Page) -> None:
    """The worker has let the wallet pay the one invoice of Revampd."""
    invoice = page.get_by_role("group", name="Invoices").get_by_role("row").filter(has_text="INV-")
    for _ in range(50):
        go(page, "Invoices")
        if invoice.filter(has_text="Paid").count():
            break
        page.wait_for_timeout(200)
    expect(invoice).to_contain_text("Paid")


class TestPayout:
    def test_is_split_comes_back_and_is_sent_again(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        account = cast.revampd_northwind
        put_on_tier(cast, at=now - 20 * DAY)
        sell(cast, 400_00, at=now - 9 * DAY)
        page = browse(cast.maya, path_of(account, "payouts/"))
        expect(page.get_by_text("No payouts yet")).to_be_visible()

        close(now)
        link(page, "Summit Trust")
        go(page, "Payouts")
        expect(page.get_by_text("Available").first).to_be_visible()
        page.get_by_role("group", name="Payouts").get_by_role("link").click()
        expect(page.get_by_role("region", name="What it comes to")).to_contain_text("$386.00")
        page.get_by_role("link", name="Settle $386.00").click()

        choose(page, "Split")
        page.get_by_role("textbox", name="To the wallet").fill("100")
        page.get_by_role("textbox", name="To the bank").fill("285")
        expect(page.get_by_role("region", name="What happens")).to_contain_text("$1.00")
        page.get_by_role("button", name="Settle").click()
        expect(page.get_by_role("alert")).to_contain_text("together they have to be $386.00")
        expect(page.get_by_role("textbox", name="To the bank")).to_have_value("285")
        assert faults(page) == []

        page.get_by_role("textbox", name="To the bank").fill("286")
        page.get_by_role("button", name="Settle").dblclick()
        settled = page.get_by_role("region", name="Settled")
        expect(settled).to_contain_text("$100.00 to the wallet")
        expect(settled).to_contain_text("The bank knows no such account. It is available again.")
        assert faults(page) == []
        page.set_viewport_size(DESKTOP)
        expect_paid(page)

        link_bank(cast, "at_once", at=now - 4 * DAY)
        go(page, "Payouts")
        page.get_by_role("group", name="Payouts").get_by_role("link").click()
        page.get_by_role("link", name="Settle $286.00").click()
        choose(page, "To the bank")
        page.get_by_role("button", name="Settle").click()
        expect_told(page, "$286.00 to the bank.")
        expect(settled).to_contain_text("$286.00 to Harbor Savings ending 0042 Paid")

    def test_that_is_on_its_way_shows_by_itself_that_it_arrived(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        sell(cast, 400_00, at=now - 9 * DAY)
        [payout] = close(now)
        link_bank(cast, "later", at=now - 9 * DAY)
        payout.settle(credit=0, transfer=400_00, by=cast.noah, at=now)
        send_transfers(at=now)
        page = browse(cast.noah, path_of(cast.revampd_northwind, f"payouts/{payout.pk}/"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("In transit")

        send_transfers(at=now + 3 * DAY)

        settled = page.get_by_role("region", name="Settled")
        expect(settled).to_contain_text("ending 6789 Paid", timeout=30_000)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Settled")
        expect(page.locator("[data-live]")).to_have_count(0)
        assert faults(page) == []

    def test_needs_no_script(self, browse, committed_cast):
        cast, now = committed_cast, timezone.now()
        sell(cast, 400_00, at=now - 9 * DAY)
        [payout] = close(now)
        address = path_of(cast.revampd_northwind, f"payouts/{payout.pk}/settlement/")
        page = browse(cast.noah, address, javascript=False)
        expect(page.get_by_text("No bank account is linked")).to_be_visible()

        page.get_by_role("button", name="Settle").click()

        expect_told(page, "$400.00 to the wallet.")
        expect(page.get_by_role("region", name="Settled")).to_contain_text("Noah Tester")
