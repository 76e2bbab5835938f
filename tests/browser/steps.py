"""What people do, a step each. Everything is found by its role and its name, as a person would."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from billing.models import BillingRequest
from connections.models import Connection

LIVE_WITHIN = 12_000  # milliseconds: an open page asks every ten seconds


def go(page: Page, place: str) -> None:
    """Follow an entry of the main menu."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=place, exact=True).click()


def path_of(connection: Connection, page: str = "") -> str:
    return f"/connections/{connection.pk}/{page}"


def path_of_request(request: BillingRequest) -> str:
    return path_of(request.connection, f"requests/{request.pk}/")


def expect_told(page: Page, sentence: str, within: float | None = None) -> None:
    """What happened is said where screen readers hear it, too."""
    expect(page.get_by_role("status").first).to_contain_text(sentence, timeout=within)


def keep_from_hearing(page: Page) -> None:
    """For as long as somebody's page has not asked yet, it shows what has long changed."""

    def answer(route: Route) -> None:
        if "live-version" in route.request.headers:
            route.fulfill(status=204)
        else:
            route.fallback()

    page.route("**/*", answer)


# Proposing


def choose(page: Page, item: str) -> None:
    """Choose an entry of the catalog by what its card says first."""
    page.get_by_role("radio", name=re.compile(rf"^{re.escape(item)}\b")).first.check()


def propose(page: Page, item: str, *, note: str = "", quantity: str = "") -> None:
    """From any page of a connection: fill in a new request and send it."""
    go_to_new_request(page)
    choose(page, item)
    if quantity:
        page.get_by_label("Quantity").fill(quantity)
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Send request").click()
    expect_told(page, "has the request now")


def go_to_new_request(page: Page) -> None:
    page.get_by_role("link", name="Requests").last.click()
    page.get_by_role("link", name="New request").first.click()


# Hearing of it


def bell(page: Page) -> Locator:
    return page.locator("#bell")


def expect_unread(page: Page, number: int, within: int = LIVE_WITHIN) -> None:
    """The bell, on a page that nobody reloads."""
    name = f"Notifications, {number} unread" if number else "Notifications"
    expect(bell(page)).to_have_accessible_name(name, timeout=within)


def notification(page: Page, title: str) -> Locator:
    """An entry of the list of notifications, once the worker has written it."""
    entry = page.get_by_role("listitem").filter(has=page.get_by_role("button", name=title))
    for _ in range(50):
        page.goto("/notifications/")
        if entry.count():
            break
        page.wait_for_timeout(200)
    expect(entry.first).to_be_visible()
    return entry.first


def open_notification(page: Page, title: str) -> None:
    notification(page, title).get_by_role("button", name=title, exact=True).click()


# Deciding


def approve(page: Page | Locator, item: str, *, note: str = "") -> None:
    decide(page, "Approve", item, note)


def reject(page: Page | Locator, item: str, *, note: str = "") -> None:
    decide(page, "Reject", item, note)


def decide(page: Page | Locator, answer: str, item: str, note: str) -> None:
    if note:
        page.get_by_text("Add a note").click()
        page.get_by_label(f"Note on {item}").fill(note)
    page.get_by_role("button", name=f"{answer} {item}").click()
