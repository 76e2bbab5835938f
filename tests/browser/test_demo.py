"""The demo's own pages in a browser: somebody moves the clock, and months pass in a minute."""

import re
import sys
from collections.abc import Iterator
from typing import Self

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections.models import Connection
from devstack.places import ROOT
from devstack.processes import Processes
from revampd.models import ClockMove
from tests.billing.acts import agree
from tests.billing.cards import add_card
from tests.cast import Cast

from .fitness import DESKTOP, faults
from .house import House, wait_until
from .steps import go, open_notification, path_of
from .test_pages import open_page

MOVED_WITHIN = 60_000  # milliseconds


class DemoHouse(House):
    """The product in demo mode, with its static files as the demo serves them."""

    valkey_database = 10

    def start(self) -> Self:
        command = [sys.executable, ROOT / "manage.py", "collectstatic", "--no-input", "-v0"]
        assert self._processes.run("collectstatic", command, env=self._environment()) == 0
        return super().start()

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"REVAMPD_MODE": "demo"}


@pytest.fixture(scope="module")
def house(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    with Processes() as processes:
        house = DemoHouse(tmp_path_factory.mktemp("demo"), processes)
        yield house.start()
    house.close()


@pytest.fixture
def connection(committed_cast: Cast, browse: object) -> Connection:
    """Bluebird pays Northwind by card: Growth since today, and its first invoice."""
    cast, now = committed_cast, timezone.now()
    add_card(cast.northwind_bluebird, by=cast.ben, at=now)
    agree(cast, at=now)
    return cast.northwind_bluebird


def move_clock(page: Page, step: str) -> None:
    """From any page of a connection, with its clock alone."""
    page.get_by_role("link", name="Clock", exact=True).click()
    page.get_by_role("radio", name=step).check()
    page.get_by_role("button", name="Move the clock").click()


def expect_arrived(page: Page) -> None:
    title = page.get_by_role("heading", level=1)
    expect(title).to_contain_text("It is", timeout=MOVED_WITHIN)


class TestClock:
    def test_brings_the_next_invoice_paid_and_told_when_a_month_passes(
        self, browse, committed_cast, connection, house
    ):
        page = browse(committed_cast.ben, path_of(connection))

        move_clock(page, "One month")
        expect(page.get_by_role("progressbar", name="Days done")).to_be_visible()
        wait_until(lambda: ClockMove.objects.get().days_done > 0, "the first day")
        with house.worker_halted():
            expect(page.get_by_text(re.compile(r"^[1-9]\d* of \d+ days$"))).to_be_visible()
            assert faults(page) == []
        expect_arrived(page)
        expect(page.get_by_text("$149.00 was paid by Visa ending 4242")).to_be_visible()
        assert faults(page) == []

        page.set_viewport_size(DESKTOP)
        page.get_by_role("link", name="Back to where you were").click()
        expect(page.get_by_text("(1 month ahead)")).to_be_visible()
        assert faults(page) == []
        page.set_viewport_size(DESKTOP)
        go(page, "Invoices")
        row = page.get_by_role("group", name="Invoices").get_by_role("row")
        expect(row.filter(has_text="INV-00002")).to_contain_text("Paid")
        open_notification(page, "Invoice INV-00002 from Northwind Agency")
        title = page.get_by_role("heading", level=1)
        expect(title).to_contain_text("INV-00002")
        expect(title).to_contain_text("Paid")
        expect(page.get_by_text("Visa ending 4242").first).to_be_visible()

    def test_needs_no_script(self, browse, committed_cast, connection):
        page = browse(committed_cast.noah, path_of(connection), javascript=False)

        # Whole pages: one that is still on its way has no link to look again, either.
        with page.expect_navigation(url=re.compile(r"/demo/clock/[0-9a-f-]{36}/")):
            move_clock(page, "One month")
        again = page.get_by_role("link", name="Look again")
        while again.count():
            with page.expect_navigation():
                again.click()

        expect_arrived(page)
        expect(page.get_by_text("Invoice INV-00002 over $149.00 was issued")).to_be_visible()
        page.get_by_role("link", name="Back to where you were").click()
        expect(page.get_by_text("(1 month ahead)")).to_be_visible()


class TestPages:
    def test_are_fit_for_everybody(self, browse, committed_cast, connection, house):
        house.mail_to("ben@example.com", about="INV-00001")
        page = browse(committed_cast.ben, "/demo/mail/")
        mail = page.get_by_role("link", name="Invoice INV-00001").first.get_attribute("href")

        for path in ("/demo/clock/", "/demo/mail/", mail):
            open_page(page, path)
            assert faults(page) == [], path

    def test_offer_everybody_of_the_demo_where_others_sign_in(self, browse):
        page = browse(path="/accounts/login/")

        expect(page.get_by_role("button", name="Helen Park")).to_be_visible()
        assert faults(page) == []
