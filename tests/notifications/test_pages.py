"""The list of notifications, one of them, and the bell."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing import events as billing
from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections import events as people
from connections.models import User
from notifications.bell import bell_of
from notifications.draining import drain_events
from notifications.models import Notification
from tests.cast import Cast

AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
LIST = "/notifications/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nothing_unread(cast):
    drain_events()
    Notification.objects.all().mark_read(at=AT)


def tell(cast: Cast, count=1, kind=billing.request_withdrawn, **facts) -> None:
    """`count` events of which Ben, Bella and Dora of Bluebird hear."""
    for number in range(count):
        kind.record(
            cast.northwind_bluebird,
            by=cast.noah,
            at=timezone.now(),
            organization=cast.northwind,
            connection=cast.northwind_bluebird,
            item=f"Offer {number}",
            provider="Northwind Agency",
            **facts,
        )
    drain_events()


def propose(cast: Cast, count=1) -> list[BillingRequest]:
    now = timezone.now()
    requests = [
        BillingRequest.propose(
            Proposal(cast.setup), connection=cast.northwind_bluebird, by=cast.noah, at=now
        )
        for _ in range(count)
    ]
    drain_events()
    return requests


def titles(page) -> list[str]:
    return re.findall(r'class="title">([^<]*)<', page.content.decode())


def newest(user: User) -> Notification:
    return Notification.objects.of(user).latest("id")


class TestList:
    def test_shows_nothing_of_others(self, cast, as_):
        tell(cast)

        assert titles(as_(cast.ben).get(LIST))[0] == "Northwind Agency withdrew Offer 0"
        for other in (cast.oscar, cast.fay, cast.zed, cast.noah):
            assert "withdrew" not in as_(other).get(LIST).content.decode()

    def test_pins_unread_ones_on_top_and_is_newest_first_above_and_below(self, cast, as_):
        tell(cast, 4)
        rows = list(Notification.objects.of(cast.ben).order_by("-id")[:4])
        rows[0].read(at=timezone.now())
        rows[2].read(at=timezone.now() - timedelta(hours=1))

        offers = [title[-1] for title in titles(as_(cast.ben).get(LIST))[:4]]
        assert offers == ["2", "0", "3", "1"]

    def test_changes_nothing_by_being_looked_at(self, cast, as_):
        tell(cast)
        browser = as_(cast.ben)

        browser.get(LIST)
        browser.get(reverse("notifications:open", args=[newest(cast.ben).pk]))

        assert newest(cast.ben).is_unread

    def test_pages_by_twenty_five(self, cast, as_):
        tell(cast, 30)

        assert len(titles(as_(cast.ben).get(LIST))) == 25
        assert len(titles(as_(cast.ben).get(LIST, {"unread": "1", "page": "2"}))) == 5

    def test_narrows_down_by_category_connection_and_unread(self, cast, as_):
        tell(cast)
        tell(cast, kind=people.connection_activated, customer="Bluebird Clinic")
        browser, here = as_(cast.dora), cast.northwind_bluebird.pk

        def found(**chosen: str) -> int:
            return len(titles(browser.get(LIST, {"unread": "1", **chosen})))

        assert found() == 2
        assert found(category="ACCOUNT") == 1
        assert found(category="PAYOUTS") == 0
        assert found(connection=str(here)) == 2
        assert found(category="BILLING_MANAGEMENT", connection=str(here)) == 1

    @pytest.mark.parametrize("query", ["category=NO", "connection=x", "page=-1", "unread=%00"])
    def test_leaves_out_what_it_does_not_know(self, cast, as_, query):
        tell(cast)

        page = as_(cast.ben).get(f"{LIST}?{query}")

        assert page.status_code == 200
        assert titles(page)

    def test_escapes_what_people_wrote(self, cast, as_):
        tell(cast, note="<script>alert(1)</script>")

        assert "<script>alert" not in as_(cast.ben).get(LIST).content.decode()

    def test_asks_the_database_as_often_for_many_as_for_few(self, cast, as_):
        browser = as_(cast.ben)

        def queries() -> int:
            with CaptureQueriesContext(database) as captured:
                browser.get(LIST)
            return len(captured)

        propose(cast, 2)
        few = queries()
        for request in propose(cast, 20):
            request.reject(by=cast.bella, at=timezone.now())
        drain_events()

        assert queries() == few <= 8

    def test_says_when_there_is_nothing(self, cast, as_):
        assert "Nothing yet" in as_(cast.zed).get(LIST).content.decode()


class TestPanel:
    def approve_forms(self, browser: Client) -> int:
        return browser.get(LIST).content.decode().count("/approval/")

    def test_lets_those_decide_who_may(self, cast, as_):
        propose(cast)

        assert self.approve_forms(as_(cast.ben)) > 0
        assert self.approve_forms(as_(cast.bella)) > 0

    def test_offers_nothing_to_a_member_of_both_sides(self, cast, as_):
        propose(cast)

        assert "Setup" in as_(cast.dora).get(LIST).content.decode()
        assert self.approve_forms(as_(cast.dora)) == 0

    def test_offers_nothing_to_somebody_who_is_a_viewer_by_now(self, cast, as_):
        propose(cast)
        cast.bella.memberships.get().change_role("VIEWER", by=cast.ben)

        assert self.approve_forms(as_(cast.bella)) == 0

    def test_is_gone_for_somebody_who_has_left_but_the_record_stays(self, cast, as_):
        propose(cast)
        cast.bella.memberships.get().end(by=cast.ben)

        page = as_(cast.bella).get(LIST)
        assert titles(page)[0] == "Northwind Agency proposes Setup"
        assert "notified-" not in page.content.decode()

    def test_shows_the_outcome_instead_of_the_buttons(self, cast, as_):
        (request,) = propose(cast)
        request.reject(by=cast.bella, at=timezone.now())

        page = as_(cast.ben).get(LIST).content.decode()
        assert "/approval/" not in page
        assert "Rejected" in page


class TestOpen:
    def test_marks_as_read_and_leads_to_the_page_concerned(self, cast, as_):
        (request,) = propose(cast)
        row = newest(cast.ben)

        answer = as_(cast.ben).post(reverse("notifications:opening", args=[row.pk]))

        assert answer.status_code == 303
        assert answer["Location"].endswith(f"/requests/{request.pk}/")
        assert not newest(cast.ben).is_unread

    def test_keeps_the_moment_of_the_first_time(self, cast, as_):
        tell(cast)
        url = reverse("notifications:opening", args=[newest(cast.ben).pk])
        browser = as_(cast.ben)
        browser.post(url)
        first = newest(cast.ben).read_at
        browser.post(url)

        assert newest(cast.ben).read_at == first

    @pytest.mark.parametrize("page", ["opening", "read"])
    def test_refuses_to_be_done_by_a_link(self, cast, as_, page):
        tell(cast)

        url = reverse(f"notifications:{page}", args=[newest(cast.ben).pk])
        assert as_(cast.ben).get(url).status_code == 405
        assert newest(cast.ben).is_unread

    @pytest.mark.parametrize(
        ("page", "method"), [("open", "get"), ("opening", "post"), ("read", "post")]
    )
    def test_finds_nothing_of_others(self, cast, as_, page, method):
        tell(cast)

        url = reverse(f"notifications:{page}", args=[newest(cast.ben).pk])
        assert getattr(as_(cast.bella), method)(url).status_code == 404
        assert newest(cast.ben).is_unread


class TestShow:
    def test_tells_all_facts_and_what_became_of_the_mail(self, cast, as_):
        tell(cast, note="As discussed")

        page = as_(cast.ben).get(reverse("notifications:open", args=[newest(cast.ben).pk]))

        assert "As discussed" in page.content.decode()
        assert "ben@example.com" in page.content.decode()
        assert "On its way" in page.content.decode()


class TestRead:
    def test_stays_on_the_list_as_it_was_narrowed_down(self, cast, as_):
        tell(cast)
        url = reverse("notifications:read", args=[newest(cast.ben).pk])

        answer = as_(cast.ben).post(f"{url}?unread=1&page=2")

        assert (answer.status_code, answer["Location"]) == (303, f"{LIST}?unread=1&page=2")
        assert not newest(cast.ben).is_unread

    def test_answers_htmx_with_the_row_and_the_bell(self, cast, as_):
        tell(cast, 2)
        row = newest(cast.ben)

        answer = as_(cast.ben).post(reverse("notifications:read", args=[row.pk]), headers=HTMX)
        text = answer.content.decode()

        assert f'<li id="notification-{row.pk}"' in text
        assert "Mark as read" not in text
        assert "1 unread" in re.search(r'<a id="bell".*?>', text, re.DOTALL)[0]


class TestReadAll:
    def test_marks_everything_of_the_reader_and_nothing_of_others(self, cast, as_):
        tell(cast, 3)

        as_(cast.ben).post(reverse("notifications:read-all"))

        assert Notification.objects.of(cast.ben).unread().count() == 0
        assert Notification.objects.of(cast.bella).unread().count() == 3

    def test_answers_htmx_with_the_list_as_it_was_narrowed_down(self, cast, as_):
        tell(cast)

        url = reverse("notifications:read-all")
        answer = as_(cast.ben).post(f"{url}?category=ACCOUNT", headers=HTMX)
        text = answer.content.decode()

        assert '<section class="card" id="notifications"' in text
        assert "withdrew" not in text
        assert "Mark all as read" not in text


class TestBell:
    def ask(self, browser: Client, version: str):
        return browser.get(reverse("notifications:bell"), {"version": version}, headers=HTMX)

    def test_counts_up_to_a_hundred(self, cast):
        tell(cast, 3)
        assert (bell_of(cast.ben).unread, bell_of(cast.ben).label) == (3, "3")
        tell(cast, 100)
        assert bell_of(cast.ben).label == "99+"

    def test_answers_unchanged_with_nothing(self, cast, as_):
        tell(cast)

        answer = self.ask(as_(cast.ben), bell_of(cast.ben).version)

        assert (answer.status_code, answer.content) == (204, b"")

    def test_answers_a_change_with_the_bell_and_the_count_of_the_menu(self, cast, as_):
        before = bell_of(cast.ben).version
        tell(cast)

        text = self.ask(as_(cast.ben), before).content.decode()

        assert f"version={bell_of(cast.ben).version}" in text
        assert re.search(r'id="nav-bell-count"[^>]*hx-swap-oob="true"[^>]*>1<', text)

    def test_changes_when_something_is_read(self, cast, as_):
        tell(cast, 2)
        before = bell_of(cast.ben).version
        newest(cast.ben).read(at=timezone.now())

        assert self.ask(as_(cast.ben), before).status_code == 200

    def test_costs_the_person_and_one_query_while_nothing_happens(self, cast, as_):
        tell(cast)
        browser, version = as_(cast.ben), bell_of(cast.ben).version
        self.ask(browser, version)  # puts the session into the cache

        with CaptureQueriesContext(database) as captured:
            self.ask(browser, version)

        assert len(captured) == 2

    def test_costs_no_more_when_something_happened(self, cast, as_):
        tell(cast)
        browser = as_(cast.ben)
        self.ask(browser, "")

        with CaptureQueriesContext(database) as captured:
            self.ask(browser, "")

        assert len(captured) == 2
