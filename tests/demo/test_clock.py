"""Moving the demo's clock: what is due on the way happens, once, and nothing else does."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest, Invoice, OneTimeCharge, Subscription
from connections.models import Connection, Event, User
from notifications.models import Notification
from revampd.demo import moving
from revampd.demo.companies import HELEN, IRONSIDE, LAKESIDE, MAYA
from revampd.demo.context import in_words
from revampd.demo.work import work
from revampd.kit.errors import Invalid
from revampd.models import ClockIsMoving, ClockMove

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("demo"),
]

MONTH = relativedelta(months=1)


def lakeside(provider: str = "Brightwell Agency") -> Connection:
    rows = Connection.objects.select_related("provider", "customer")
    return rows.get(customer__name=LAKESIDE.name, provider__name=provider)


def begin(connection: Connection | None, to: date) -> ClockMove:
    by = User.objects.get(email=MAYA.email)
    return ClockMove.begin(connection, to=to, by=by, now=timezone.now())


def arrive(connection: Connection | None, to: date) -> ClockMove:
    """Move the clock as the worker does, and come back when it is there."""
    move = begin(connection, to)
    while move.is_under_way:
        moving.go_on()
        move.refresh_from_db()
    assert move.problem == ""
    return move


def books() -> set[tuple[Any, ...]]:
    """Everything that time alone has brought about."""
    invoices = Invoice.objects.values_list("connection", "issue_date", "total", "kind")
    closed = BillingRequest.objects.exclude(state="PENDING").values_list("id", "state")
    told = Notification.objects.values_list("event__code", "recipient", "connection", "title")
    return {*invoices, *closed, *((*row[:3], row[3].split(" from ")[-1]) for row in told)}


class TestOneConnection:
    def test_has_its_invoices_issued_when_its_months_pass(self) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date
        before = connection.invoices.count()

        arrive(connection, due + 2 * MONTH)

        fresh = list(connection.invoices.order_by("number"))[before:]
        assert [i.issue_date for i in fresh] == [due, due + MONTH, due + 2 * MONTH]
        assert [connection.day_of(i.issued_at) for i in fresh] == [i.issue_date for i in fresh]

    def test_moves_alone(self) -> None:
        connection, other = lakeside(), lakeside("Revampd")
        elsewhere = Invoice.objects.exclude(connection=connection)
        before = list(elsewhere.values_list("id"))
        next_days = dict(
            Subscription.objects.exclude(connection=connection).values_list(
                "id", "next_invoice_date"
            )
        )

        arrive(connection, connection.today + 3 * MONTH)

        other.refresh_from_db()
        assert other.ahead == timedelta(0)
        assert not Connection.objects.exclude(pk=connection.pk).exclude(ahead=timedelta(0)).exists()
        assert list(elsewhere.values_list("id")) == before
        assert next_days == dict(
            Subscription.objects.exclude(connection=connection).values_list(
                "id", "next_invoice_date"
            )
        )

    def test_has_its_requests_reminded_of_and_closed(self) -> None:
        connection = lakeside()
        waiting = list(connection.billing_requests.pending())
        assert waiting

        arrive(connection, max(r.expires_at for r in waiting).date() + timedelta(days=2))

        for request in waiting:
            request.refresh_from_db()
            assert request.state == "EXPIRED"
            assert (
                request.expires_at <= request.decided_at <= request.expires_at + timedelta(days=1)
            )
            assert request.reminded_at is not None
            assert request.reminded_at < request.decided_at

    def test_tells_people_day_by_day(self) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date

        move = arrive(connection, due)

        event = Event.objects.filter(code="invoice.issued", connection=connection).latest("id")
        assert event.recorded_at >= move.started_at
        assert connection.day_of(event.at) == due
        assert event.notifications.filter(recipient__email=HELEN.email).exists()


class TestAllConnections:
    def test_arrive_on_the_same_day(self) -> None:
        ahead = arrive(lakeside(), lakeside().today + timedelta(days=5))
        to = ahead.target_date + timedelta(days=10)

        move = arrive(None, to)

        assert {connection.today for connection in ClockMove.moved(None)} == {to}
        assert move.days == 15

    def test_bill_every_period_once_and_number_without_gaps(self) -> None:
        to = max(connection.today for connection in ClockMove.moved(None)) + 2 * MONTH

        arrive(None, to)

        assert not Subscription.objects.due(to).exists()
        periods = Invoice.objects.exclude(period_start=None).values_list(
            "connection", "period_start"
        )
        assert len(periods) == len(set(periods))
        for provider in Invoice.objects.values_list("provider", flat=True).distinct():
            numbers = Invoice.objects.filter(provider=provider).order_by("number")
            assert [i.number for i in numbers] == list(range(1, len(numbers) + 1))


class Killed(BaseException):
    """As if the worker were gone: nothing catches it."""


@pytest.fixture
def work_dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bool], None]:
    """`work_dies(3, after=True)`: the third day's work ends the worker, its work done or not."""

    def prepare(day: int, after: bool) -> None:
        days = iter(range(1, 10_000))

        def deadly(at: datetime) -> None:
            is_last = next(days) == day
            if after or not is_last:
                work(at)
            if is_last:
                raise Killed

        monkeypatch.setattr(moving, "work", deadly)

    return prepare


class TestGoOn:
    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("day", [1, 20])
    def test_continues_where_a_killed_worker_was(
        self, day: int, after: bool, work_dies: Callable[[int, bool], None]
    ) -> None:
        to = lakeside().today + timedelta(days=35)
        with transaction.atomic():
            arrive(None, to)
            undisturbed = books()
            transaction.set_rollback(True)
        move = begin(None, to)

        work_dies(day, after)
        with pytest.raises(Killed):
            finish()
        move.refresh_from_db()
        assert move.days_done == day - 1
        finish()

        assert books() == undisturbed

    def test_does_a_month_at_a_time(self) -> None:
        move = begin(lakeside(), lakeside().today + timedelta(days=40))

        assert [moving.go_on(), moving.go_on(), moving.go_on()] == [31, 9, 0]
        move.refresh_from_db()
        assert move.finished_at is not None

    def test_leaves_the_move_to_the_worker_that_has_it(self) -> None:
        begin(lakeside(), lakeside().today + timedelta(days=3))
        with closing(connections["owner"]) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [moving.TURN])
            assert moving.go_on() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [moving.TURN])
            assert moving.go_on() == 3

    def test_stops_with_the_problem_and_lets_another_move_begin(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        move = begin(lakeside(), lakeside().today + timedelta(days=3))

        def broken(at: datetime) -> None:
            raise ExceptionGroup("1 of 9", [ValueError("the books are broken")])

        with monkeypatch.context() as patch:
            patch.setattr(moving, "work", broken)
            moving.go_on()

        move.refresh_from_db()
        assert move.finished_at is not None
        assert move.problem == "ValueError: the books are broken"
        assert arrive(lakeside(), move.target_date).days == 2


class TestBegin:
    def test_refuses_to_go_back_or_to_stay(self) -> None:
        connection = lakeside()
        for day in (connection.today, connection.today - timedelta(days=1)):
            with pytest.raises(Invalid, match="only goes forward"):
                begin(connection, day)

    def test_refuses_more_than_24_months_ahead_of_real_time(self) -> None:
        connection, last = lakeside(), ClockMove.last_day(timezone.now())
        assert last == datetime.now(UTC).date() + relativedelta(years=2)

        with pytest.raises(Invalid, match="24 months"):
            begin(connection, last + timedelta(days=1))
        arrive(connection, connection.today + timedelta(days=20))
        with pytest.raises(Invalid, match="24 months"):
            begin(Connection.objects.get(pk=connection.pk), last + timedelta(days=1))

    def test_moves_one_at_a_time(self) -> None:
        first = begin(lakeside(), lakeside().today + timedelta(days=3))

        with pytest.raises(ClockIsMoving) as refusal:
            begin(None, lakeside().today + timedelta(days=4))

        assert refusal.value.move == first


@pytest.fixture
def maya(client: Client) -> Client:
    client.post("/demo/sign-in/maya/")
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


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
            backend="allauth.account.auth_backends.AuthenticationBackend",
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
            assert "Look again" in shown
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


def finish() -> None:
    while ClockMove.objects.under_way().exists():
        moving.go_on()


class TestEveryPage:
    """After a move: the moved connection is in the future, and nothing on any page is."""

    @pytest.fixture
    def today(self) -> date:
        """Lakeside with Brightwell is two months ahead."""
        connection = lakeside()
        to = connection.today + relativedelta(months=2)
        arrive(connection, to)
        return to

    @pytest.fixture
    def moved_pages(self, today: date) -> Iterator[str]:
        connection = lakeside()
        overview = reverse("overview", args=[connection.pk])
        slug = connection.provider.slug
        return iter(
            [
                overview,
                f"{overview}plan/",
                f"{overview}requests/",
                f"{overview}invoices/",
                "/connections/",
                "/notifications/",
                f"/organizations/{slug}/catalog/",
                f"/organizations/{slug}/sub-orgs/",
                f"/organizations/{slug}/members/",
            ]
        )

    def test_says_loudly_that_the_clock_was_moved(
        self, maya: Client, today: date, moved_pages: Iterator[str]
    ) -> None:
        for path in moved_pages:
            answer = maya.get(path)
            assert answer.status_code == 200, path
            clock = answer.context["moved_clock"]
            assert (clock.today, clock.distance) == (today, "2 months ahead"), path
            assert f"{today.day} {today:%b %Y}" in text(answer), path

    def test_goes_by_the_clock_of_its_own_connection(self, maya: Client, today: date) -> None:
        other = lakeside().provider.provided.exclude(customer=lakeside().customer)
        path = reverse("overview", args=[other.filter(state="ACTIVE").first().pk])

        assert "moved_clock" not in maya.get(path).context

    def test_has_a_refusal_say_it_too(self, today: date) -> None:
        browser = Client()
        browser.post("/demo/sign-in/helen/")
        path = reverse("billing:propose", args=[lakeside().pk])

        answer = browser.get(path)

        assert answer.status_code == 403
        assert answer.context["moved_clock"].today == today

    def test_takes_new_acts_for_acts_of_that_day(self, maya: Client, today: date) -> None:
        connection = lakeside()
        form = maya.get(reverse("billing:propose", args=[connection.pk])).context["form"]
        assert form.today == today
        item = next(k for k, e in form.entries.items() if isinstance(e, OneTimeCharge))

        maya.post(
            reverse("billing:propose", args=[connection.pk]),
            {
                "key": str(form.initial["key"]),
                "item": item,
                "quantity": "1",
                "timing": "NOW",
                "expires_on": str(today + timedelta(days=5)),
                "note": "",
            },
        )

        request = BillingRequest.objects.get(pk=form.initial["key"])
        assert connection.day_of(request.proposed_at) == today
        page = text(maya.get(reverse("billing:request", args=[connection.pk, request.pk])))
        assert "just now" in page

    def test_says_yesterday_of_what_was_issued_a_day_ago(self, maya: Client) -> None:
        connection = lakeside()
        due = connection.subscriptions.live().get().next_invoice_date
        arrive(connection, due + timedelta(days=1))

        page = text(maya.get(reverse("overview", args=[connection.pk])))

        assert "yesterday, " in page

    def test_is_in_real_time_where_the_mail_is(self, maya: Client, today: date) -> None:
        assert "moved_clock" not in maya.get("/demo/mail/").context


class TestInWords:
    @pytest.mark.parametrize(
        ("today", "words"),
        [
            (date(2026, 11, 25), "1 day ahead"),
            (date(2026, 12, 24), "1 month ahead"),
            (date(2027, 1, 27), "2 months and 3 days ahead"),
            (date(2028, 1, 27), "1 year and 2 months ahead"),
            (date(2028, 11, 24), "2 years ahead"),
        ],
    )
    def test_counts_as_people_do(self, today: date, words: str) -> None:
        real = date(2026, 11, 24)

        assert in_words(real, today, today - real) == words
