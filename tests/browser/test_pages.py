"""Every page of the site as a browser shows it: accessible, quiet, within the screen, light."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import brotli
import pytest
from playwright.sync_api import Browser, Error, Page, Response

from connections.access import Side
from notifications.events import SEND_TASK
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.stylesheets import SHEETS
from tests.cast import Cast
from tests.test_access import PAGES
from tests.test_access import Page as Route

from .conftest import Windows
from .fitness import DESKTOP, faults
from .furnishing import Furnished, furnish
from .house import House
from .watching import NO_BODY

# Kilobytes. HTML and style sheets as brotli, which is how they travel; our script as it is.
MOST_HTML, MOST_CSS, MOST_SCRIPT = 25, 12, 6

STATIC = Path(__file__).parents[2] / "static"
CONNECTION = "connections/<connection_id>/"
PARTY = "connections/<uuid:connection_id>/"
NOT_PAGES = {
    "healthz",
    "notifications/bell/",
    "readyz",
    "search/palette/",
    "webhooks/<slug:gateway>/",
    "webhooks/payouts/<slug:gateway>/",
    "webhooks/mail/",
    f"{PARTY}invoices/<int:number>/pdf/",
    f"{PARTY}credit-notes/<int:note_number>/pdf/",
    f"{PARTY}tickets/<uuid:ticket_id>/news/",
    f"{PARTY}tickets/<uuid:ticket_id>/attachments/<uuid:attachment_id>/",
    f"{PARTY}payouts/<uuid:payout_id>/statement/",
}


@dataclass(frozen=True)
class Visit:
    """An address with <names> in it, who opens it ("" is nobody), and what a good answer is."""

    who: str
    route: str
    status: int = 200

    def __str__(self) -> str:
        return f"{self.who or 'nobody'} /{self.route}"

    def path(self, house: Furnished) -> str:
        return "/" + re.sub(r"<(?:\w+:)?([\w -]+)>", lambda m: str(house.values[m[1]]), self.route)


def routes() -> Iterator[Visit]:
    """Every route of ours, as somebody who may open it, from both sides where there are two.

    A list as CSV is a download and no page.
    """
    for route in PAGES.values():
        if route.route not in NOT_PAGES and not route.route.endswith("export/"):
            yield from (Visit(who, address(route)) for who in visitors(route))


def address(route: Route) -> str:
    """Pages that only a connection with Revampd has are looked at on Northwind's."""
    if not (route.rule and route.rule.between):
        return route.route
    return re.sub(r"<\w+:(\w+)>", r"<tier \1>", route.route)


def visitors(route: Route) -> list[str]:
    """Who opens a route: see the rule that its view declares."""
    if route.rule is None or route.rule.door == "public":
        return [""]
    if route.rule.door == "organization":
        return ["maya"]
    if route.rule.door == "personal" and route.parameters:
        return ["maya" if "link_reference" in route.parameters else "ben"]
    if route.rule.between:
        return ["maya"] if route.rule.side is Side.CUSTOMER else ["maya", "rhea", "vera"]
    if route.rule.side is Side.PROVIDER:
        return ["maya"]
    return ["ben"] if route.rule.side is Side.CUSTOMER else ["ben", "maya"]


STATES = (
    "approved",
    "add-on",
    "rejected",
    "withdrawn",
    "expired",
    "scheduled",
    "revised",
    "charge",
)
OTHER_STATES = [
    *(Visit("ben", f"{CONNECTION}requests/<{state}>/") for state in STATES),
    Visit("maya", f"{CONNECTION}requests/<approved>/"),
    Visit("theo", f"{CONNECTION}requests/<request_id>/"),
    Visit("dora", f"{CONNECTION}requests/<request_id>/"),
    Visit("ben", f"{CONNECTION}requests/?state=PENDING&kind=ADD_ON"),
    Visit("ben", f"{CONNECTION}invoices/?state=OPEN"),
    *(
        Visit(who, f"{CONNECTION}invoices/<{end}>/")
        for end in ("paid", "declined", "void", "written off")
        for who in ("ben", "noah", "theo")
    ),
    Visit("ben", f"{CONNECTION}wallet/?show=unspent"),
    Visit("maya", f"{CONNECTION}wallet/?show=deductions"),
    Visit("ben", f"{CONNECTION}wallet/?show=deductions"),
    Visit("theo", f"{CONNECTION}payment-methods/"),
    Visit("ben", f"{CONNECTION}usage/?billed=no&measure=TRANSFER"),
    Visit("maya", f"{CONNECTION}usage/?page=2&sort=-quantity"),
    *(Visit(who, "connections/<empty>/usage/") for who in ("oscar", "fay")),
    Visit("ben", "sandbox/setups/<setup_reference>/?card=visa"),
    Visit("ben", "sandbox/setups/<setup over>/"),
    Visit("maya", "organizations/<slug>/members/?show=invitations"),
    Visit("vera", "organizations/<slug>/members/"),
    Visit("vera", "organizations/<slug>/settings/"),
    Visit("vera", "organizations/<slug>/catalog/"),
    Visit("maya", "organizations/<slug>/catalog/?kind=add-ons"),
    Visit("maya", "organizations/<slug>/catalog/?kind=one-time-charges"),
    Visit("maya", "organizations/<slug>/sub-orgs/?q=nobody"),
    Visit("maya", "organizations/<slug>/sub-orgs/?plan=Growth&waiting=yes&sort=-overdue"),
    Visit("maya", "organizations/<slug>/sub-orgs/imports/<import over>/?page=1"),
    Visit("ben", "notifications/?unread=1"),
    Visit("maya", "notifications/preferences/"),
    Visit("zed", "notifications/preferences/"),
    Visit("vera", "organizations/<slug>/notifications/mail/"),
    Visit("", "unsubscribe/<signed for all>/"),
    Visit("ben", "unsubscribe/<signed>/"),
    *(Visit("maya", f"search/?q={text}") for text in ("b", "blue", "nobody at all")),
    Visit("ben", "search/?q=149&in=invoices"),
    Visit("theo", "search/?q=tester"),
    Visit("zed", "connections/"),
    Visit("zed", "notifications/"),
    *(
        Visit(who, f"connections/<empty>/{page}")
        for page in ("", "plan/", "requests/", "invoices/", "wallet/")
        for who in ("oscar", "fay")
    ),
    Visit("fay", "connections/<empty>/payment-methods/"),
    Visit("oscar", "connections/<empty>/wallet/?show=deductions"),
    *(
        Visit("maya", f"connections/<tier>/{page}")
        for page in ("", "plan/", "invoices/", "wallet/")
    ),
    *(Visit(who, "connections/<tier>/plan/") for who in ("rhea", "vera")),
    Visit("maya", "connections/<tier>/plan/tiers/<too small>/choice/"),
    Visit("maya", "connections/<tier>/plan/tiers/<tier own>/choice/"),
    *(Visit("oscar", f"connections/<tier new>/{page}") for page in ("", "plan/", "add-ons/")),
    Visit("oscar", "connections/<tier new>/plan/tiers/<tier version_id>/choice/"),
    *(
        Visit("maya", f"connections/<tier>/payouts/<{state}>/")
        for state in ("settled payout", "returned payout", "carried payout")
    ),
    *(Visit("oscar", f"connections/<tier new>/payouts/{page}") for page in ("", "settings/")),
    Visit("vera", "connections/<tier>/payouts/settings/"),
    *(
        Visit(who, f"connections/<{where}>/affiliate-payouts/{show}")
        for who, where in (("maya", "tier"), ("ben", "revampd_bluebird"), ("oscar", "tier new"))
        for show in ("", "?show=referrals")
    ),
    Visit("maya", "organizations/<slug>/referrals/?show=referrals"),
    Visit("vera", "organizations/<slug>/referrals/inquiries/<inquiry_id>/"),
    Visit("", "accounts/signup/?next=/join/<code>/company/"),
    Visit("oscar", "join/<code>/company/", 403),
    Visit("maya", "sandbox/links/<link over>/"),
    *(
        Visit("ben", f"connections/<revampd_bluebird>/{page}")
        for page in ("plan/", "add-ons/", "invoices/", "wallet/")
    ),
    *(
        Visit(who, f"{CONNECTION}tickets/<{state}>/")
        for who in ("theo", "vera", "sam", "dana")
        for state in ("closed ticket", "returned ticket")
    ),
    Visit("rhea", "connections/<tier>/tickets/<ticket_id>/"),
    Visit("rhea", "connections/<tier>/tickets/<returned ticket>/"),
    Visit("rhea", "connections/<tier>/tickets/?escalated=yes"),
    Visit("rhea", "organizations/revampd/tickets/?escalated=yes"),
    Visit("maya", f"{CONNECTION}tickets/?q=500&unread=yes&status=OPEN"),
    Visit("maya", f"{CONNECTION}tickets/?q=nothing-like-it"),
    *(Visit(who, "connections/<empty>/tickets/") for who in ("oscar", "fay")),
    Visit("rhea", "connections/"),
    Visit("rhea", "organizations/revampd/"),
    Visit("rhea", "organizations/revampd/sub-orgs/"),
    Visit("ben", "organizations/bluebird-clinic/"),
    Visit("oscar", "organizations/contoso-media/"),
]
ACCOUNT_PAGES = [
    Visit("", "accounts/login/"),
    Visit("", "accounts/signup/"),
    Visit("", "accounts/signup/?next=/invitations/<token>/"),
    Visit("", "accounts/confirm-email/"),
    Visit("", "accounts/confirm-email/forged/"),
    Visit("", "accounts/password/reset/"),
    Visit("", "accounts/password/reset/done/"),
    Visit("", "accounts/password/reset/key/1-forged/"),
    Visit("", "accounts/password/reset/key/done/"),
    Visit("ben", "accounts/email/"),
    Visit("ben", "accounts/password/change/"),
    Visit("ben", "accounts/reauthenticate/"),
    Visit("ben", "accounts/2fa/"),
    Visit("dora", "accounts/2fa/"),
    Visit("dora", "accounts/reauthenticate/"),
    Visit("ben", "accounts/2fa/totp/activate/"),
    Visit("ben", "accounts/2fa/webauthn/"),
    Visit("ben", "accounts/2fa/webauthn/add/"),
    Visit("ben", "accounts/sessions/"),
    Visit("ben", "accounts/logout/"),
]
REFUSALS = [
    Visit("", "nowhere/", 404),
    Visit("ben", "nowhere/", 404),
    Visit("zed", CONNECTION, 404),
    Visit("", "invitations/forged/", 404),
    Visit("ben", f"{CONNECTION}requests/new/", 403),
    Visit("ben", f"{CONNECTION}add-ons/", 404),
    Visit("vera", f"{CONNECTION}requests/new/", 403),
    Visit("vera", f"{CONNECTION}usage/new/", 403),
    Visit("maya", f"{CONNECTION}payment-methods/", 403),
    Visit("maya", "sandbox/setups/<setup_reference>/", 404),
]
STAFF_PAGES = (
    *("", "find/?q=north", "find/?q=nothing-like-it"),
    *(f"connections/{model}/" for model in ("user", "organization", "connection", "event")),
    *(f"connections/{model}/" for model in ("viewing", "membership", "invitation", "outbox")),
    *(f"billing/{model}/" for model in ("invoice", "credit", "adjustment", "billingrun")),
    *(f"billing/{model}/" for model in ("payment", "plan", "addon", "transfer", "usagerecord")),
    *("billing/payment/?waiting=failed", "notifications/delivery/?waiting=failed"),
    *("tickets/ticket/", "tickets/message/", "notifications/delivery/", "payouts/payout/"),
    *("payouts/referralterms/add/", "billing/pricelimits/USD/change/"),
    *(
        f"{app}/{model}/<admin {model}>/change/"
        for app, models in {
            "connections": ("user", "organization", "connection", "event", "viewing"),
            "billing": ("invoice", "credit", "adjustment", "billingrun", "plan"),
            "tickets": ("ticket",),
            "notifications": ("delivery",),
        }.items()
        for model in models
    ),
    *(
        "connections/connection/<admin connection>/history/",
        "billing/billingrun/<lost run>/change/",
    ),
    *("connections/user/<admin user>/view-as/", "connections/organization/partner/"),
    *("billing/credit/of/<admin connection>/adjust/", "billing/billingrun/ask/"),
    *(f"billing/invoice/<admin invoice>/{act}/" for act in ("void", "write-off", "credit-note")),
    *(f"billing/adjustment/<admin adjustment>/{act}/" for act in ("approve", "reject")),
    *("billing/plan/tier/", "billing/plan/<admin plan>/version/", "billing/addon/offer/"),
    *("billing/billingrequest/service/<admin connection>/", "billing/usagerecord/enter/"),
    *(f"tickets/ticket/<admin ticket>/{act}/" for act in ("answer", "triage")),
)
ADMIN = [Visit("rhea", f"admin/{page}") for page in STAFF_PAGES]

VISITS = sorted(chain(routes(), OTHER_STATES, ACCOUNT_PAGES, REFUSALS, ADMIN), key=str)


class Tour:
    """Looks at one page after the other, in windows that stay open, one for each person."""

    def __init__(self, windows: Windows, house: House, cast: Cast) -> None:
        self._windows = windows
        self._house = house
        self._cast = cast
        self._pages: dict[str, Page] = {}

    def page(self, who: str) -> Page:
        if who not in self._pages:
            self._pages[who] = self._windows.open(getattr(self._cast, who) if who else None)
        return self._pages[who]

    def troubles(self) -> list[str]:
        """What browser or server complain of since the last call."""
        return [*self._windows.take_complaints(), *self._house.troubles()]


@pytest.fixture(scope="module")
def furnished(lasting_cast: Cast, house: House) -> Furnished:
    """Only the mails go out: the worker would collect what is to be seen as it stands."""
    furnished = furnish(lasting_cast)
    with house.listening():
        ring_on_commit(SEND_TASK)
    return furnished


@pytest.fixture(scope="module")
def tour(furnished: Furnished, chromium: Browser, house: House) -> Iterator[Tour]:
    windows = Windows(chromium, house)
    yield Tour(windows, house, furnished.cast)
    windows.close()


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_page_is_fit_for_everybody(visit, furnished, tour, record_property):
    page = tour.page(visit.who)
    answer = open_page(page, visit.path(furnished))
    if answer is None:
        assert all(trouble.startswith("405: ") for trouble in tour.troubles())
        return
    weight = kilobytes(answer)
    record_property("html", weight)

    assert answer.status == visit.status, tour.troubles()
    assert faults(page) == []
    assert tour.troubles() == []
    assert weight < MOST_HTML


def open_page(page: Page, path: str) -> Response | None:
    """Go there. None if there is no page but an act, which answers GET with 405 and no body."""
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    try:
        return page.goto(path)
    except Error as error:
        if NO_BODY not in error.message:
            raise
        return None


def kilobytes(answer: Response) -> float:
    return len(brotli.compress(answer.body(), quality=5)) / 1000


class TestWeight:
    def test_of_styles_and_script_is_small(self, record_property):
        styles = b"".join((STATIC / f"css/{name}.css").read_bytes() for name in SHEETS)
        script = b"".join(path.read_bytes() for path in STATIC.glob("js/*.js"))
        css, js = len(brotli.compress(styles)) / 1000, len(script) / 1000
        record_property("css", css)
        record_property("js", js)

        assert css < MOST_CSS
        assert js < MOST_SCRIPT

    def test_has_no_fonts_and_nothing_from_elsewhere(self, furnished, windows):
        page = windows.open(furnished.cast.ben)
        loaded = []
        page.on("request", lambda request: loaded.append(request.resource_type))
        page.goto("/")

        assert set(loaded) <= {"document", "stylesheet", "script", "image", "other"}
