"""After a move: the moved connection is in the future, and nothing on any page is."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.test import Client
from django.urls import reverse

from billing.models import BillingRequest, OneTimeCharge
from revampd.demo.context import in_words
from tests.demo.moves import arrive, lakeside
from tests.pages import text

pytestmark = [
    pytest.mark.usefixtures("demo_mode", "demo"),
    pytest.mark.xdist_group("demo"),
]


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
