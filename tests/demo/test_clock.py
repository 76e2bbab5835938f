"""The pages that move the demo's clock, and say what happened on the way."""

from datetime import timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Subscription
from connections.models import Connection, User
from revampd.demo.companies import IRONSIDE, LAKESIDE, MAYA
from revampd.models import ClockMove
from tests.demo.moves import begin, finish, lakeside
from tests.pages import text

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("demo"),
]


class TestClockPage:
    def url(self, connection: Connection | None = None, back: str = "") -> str:
        named = f"connection={connection.pk}&" if connection else ""
        return f"/demo/clock/?{named}next={back}"

    def test_is_linked_from_every_page_with_the_way_back(self, maya: Client) -> None:
        path = reverse("overview", args=[lakeside().pk])

        page = text(maya.get(path))

        quoted = path.replace("/", "%2F")
        assert f'href="/demo/clock/?connection={lakeside().pk}&amp;next={quoted}"' in page

    def test_offers_steps_with_the_days_that_they_lead_to(self, maya: Client) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date

        page = text(maya.get(self.url(connection)))

        for label in ("One day", "One week", "To the next billing day", "One month"):
            assert label in page
        assert f"{due:%a}, {due.day} {due:%b %Y}" in page
        assert not ClockMove.objects.exists()

    @pytest.mark.parametrize(
        ("step", "distance"),
        [("day", {"days": 1}), ("week", {"weeks": 1}), ("quarter", {"months": 3})],
    )
    def test_sets_out_by_a_step(self, maya: Client, step: str, distance: dict[str, int]) -> None:
        connection = lakeside()

        answer = maya.post(self.url(connection), {"step": step, "to": ""})

        move = ClockMove.objects.get()
        assert move.target_date == connection.today + relativedelta(**distance)
        assert (answer.status_code, move.connection) == (303, connection)
        assert answer["Location"].startswith(f"/demo/clock/{move.pk}/?connection=")

    def test_sets_out_for_the_next_billing_day(self, maya: Client) -> None:
        maya.post(self.url(), {"step": "billing"})

        today = max(connection.today for connection in ClockMove.moved(None))
        coming = Subscription.objects.live().filter(next_invoice_date__gt=today)
        days = coming.order_by("next_invoice_date").values_list("next_invoice_date", flat=True)
        assert ClockMove.objects.get().target_date == days[0]

    def test_takes_a_day_before_a_step(self, maya: Client) -> None:
        day = lakeside().today + timedelta(days=17)

        maya.post(self.url(), {"step": "month", "to": str(day)})

        assert (ClockMove.objects.get().target_date, ClockMove.objects.get().connection) == (
            day,
            None,
        )

    @pytest.mark.parametrize(
        ("to", "sentence"),
        [
            ("2020-01-01", "The clock only goes forward."),
            ("2999-01-01", "at most 24 months ahead"),
            ("2027-02-30", "Enter a day that exists"),
            ("0000-00-00", "Enter a day that exists"),
            ("soon", "Enter a day that exists"),
            ("\x00", "Enter a day that exists"),
            ("", "Choose a step or enter a day."),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_with_a_day(
        self, maya: Client, to: str, sentence: str
    ) -> None:
        answer = maya.post(self.url(lakeside()), {"to": to})

        assert answer.status_code == 422
        [error] = answer.context["form"].errors["to"]
        assert sentence in error
        assert 'aria-invalid="true"' in text(answer)
        assert not ClockMove.objects.exists()

    def test_knows_no_other_step(self, maya: Client) -> None:
        answer = maya.post(self.url(), {"step": "century"})

        assert answer.status_code == 422
        assert "Choose one of these steps." in text(answer)

    def test_leads_to_the_move_that_is_under_way(self, maya: Client) -> None:
        move = begin(lakeside(), lakeside().today + timedelta(days=3))

        assert maya.get(self.url())["Location"].startswith(f"/demo/clock/{move.pk}/")
        answer = maya.post(self.url(), {"step": "day"})
        assert answer.status_code == 409
        assert f'href="/demo/clock/{move.pk}/"' in text(answer)
        assert ClockMove.objects.count() == 1

    def test_is_closed_to_strangers_of_a_connection(self, maya: Client) -> None:
        theirs = Connection.objects.filter(provider__name=IRONSIDE.name).first()
        for named in (theirs.pk, "1", "\x00"):
            for method in (maya.get, maya.post):
                assert method("/demo/clock/", query_params={"connection": named}).status_code == 404
        assert not ClockMove.objects.exists()

    def test_is_for_people_who_are_signed_in(self, client: Client) -> None:
        for method in (client.get, client.post):
            answer = method("/demo/clock/")
            assert answer["Location"].startswith("/accounts/login/")

    def test_takes_no_form_from_elsewhere(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(
            User.objects.get(email=MAYA.email),
            backend="connections.backends.Backend",
        )

        assert strict.post("/demo/clock/", {"step": "day"}).status_code == 403
        assert not ClockMove.objects.exists()

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"]
    )
    def test_leads_back_to_our_own_pages_alone(self, maya: Client, elsewhere: str) -> None:
        page = text(maya.get("/demo/clock/", query_params={"next": elsewhere}))

        assert '<a class="btn ghost" href="/">Cancel</a>' in page


class TestMovePage:
    @pytest.fixture
    def path(self, maya: Client) -> str:
        """The page of a move over the next invoice of Lakeside."""
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date
        back = reverse("overview", args=[connection.pk])
        url = f"/demo/clock/?connection={connection.pk}&next={back}"
        return str(maya.post(url, {"to": str(due + timedelta(days=1))})["Location"])

    def test_shows_how_far_it_is(self, maya: Client, path: str) -> None:
        page = text(maya.get(path))
        fragment = text(maya.get(path, headers={"HX-Request": "true"}))

        days = ClockMove.objects.get().days
        for shown in (page, fragment):
            assert f'<progress max="{days}" value="0"' in shown
            assert 'hx-trigger="every 1s"' in shown
        assert f'href="{path.replace("&", "&amp;")}">Look again</a>' in page
        assert "<html" not in fragment

    def test_loads_anew_when_it_is_there(self, maya: Client, path: str) -> None:
        finish()

        answer = maya.get(path, headers={"HX-Request": "true"})

        assert answer["HX-Refresh"] == "true"

    def test_tells_what_happened_with_links_and_the_way_back(self, maya: Client, path: str) -> None:
        finish()

        answer = maya.get(path)

        connection, page = lakeside(), text(answer)
        invoice = connection.invoices.latest("number")
        link = reverse("billing:invoice", args=[connection.pk, invoice.number])
        assert f'href="{link}"' in page
        assert ("Invoices issued", 1) in answer.context["summary"].counts
        assert [day.date for day in answer.context["summary"].days][-1] == invoice.issue_date
        back = reverse("overview", args=[connection.pk])
        assert f'href="{back}">Back to where you were</a>' in page
        assert 'hx-trigger="every 1s"' not in page

    def test_shows_nobody_what_happened_to_others(self, maya: Client, path: str) -> None:
        finish()
        stranger = Client()
        stranger.post("/demo/sign-in/jake/")

        answer = stranger.get(path.partition("?")[0])

        assert answer.context["summary"].days == []
        assert answer.context["summary"].elsewhere >= 1
        assert LAKESIDE.name not in text(answer)
        assert str(lakeside().pk) not in text(answer)

    def test_says_where_and_why_it_stopped(self, maya: Client, path: str) -> None:
        move = ClockMove.objects.get()
        move.finish(now=timezone.now(), problem="ValueError: the books are broken")

        page = text(maya.get(path))

        assert "The clock stopped on" in page
        assert "the books are broken" in page

    def test_is_not_there_for_another_id(self, maya: Client) -> None:
        assert maya.get(f"/demo/clock/{lakeside().pk}/").status_code == 404
