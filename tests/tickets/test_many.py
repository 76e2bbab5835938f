"""Fifty thousand tickets of one Partner: as many questions to the database as for a handful."""

from time import perf_counter

import pytest
from django.db import connections

from tests.billing.deals import queries
from tests.tickets.acts import NOW, submit, url
from tickets.models import Side, Ticket, Unread

MANY = 50_000
# Generous on a busy machine: what an index does not carry takes seconds.
AT_MOST = 1.5  # seconds a page


@pytest.fixture
def crowd(cast):
    """All on one connection, a thousand of them unread by Dana."""
    ticket = submit(cast, at=NOW)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tickets_ticket (id, connection_id, provider_id, number, title, priority,
                status, opened_by_id, opened_at, assignee_id, length, customer_length, customer_at,
                provider_length, provider_at, revampd_length)
            SELECT gen_random_uuid(), connection_id, provider_id, n, 'Question ' || n,
                (ARRAY['LOW', 'MEDIUM', 'HIGH'])[1 + n %% 3],
                (ARRAY['OPEN', 'IN_PROGRESS', 'RESOLVED', 'CLOSED'])[1 + n %% 4],
                opened_by_id, opened_at - n * interval '1 minute',
                CASE WHEN n %% 2 = 0 THEN %s END, 0, 0, opened_at, 0,
                opened_at - n * interval '1 minute', 0
            FROM tickets_ticket, generate_series(2, %s) n WHERE number = 1
            """,
            [cast.dana.pk, MANY],
        )
        cursor.execute(
            """
            INSERT INTO tickets_unread (ticket_id, user_id, organization_id, connection_id, since)
            SELECT id, %s, provider_id, connection_id, 1 FROM tickets_ticket WHERE number <= 1001
                AND number > 1
            """,
            [cast.dana.pk],
        )
    return ticket


class TestFiftyThousand:
    def test_cost_at_most_eight_questions_and_no_time(self, cast, crowd, as_, record_property):
        browser = as_(cast.dana)
        whole, own = "/organizations/northwind-agency/tickets/", crowd.connection_id
        lists = [whole, f"/connections/{own}/tickets/"]
        mine = f"?status=OPEN&assignee={cast.dana.pk}"
        asked = ("", "?unread=yes", mine, "?page=900", "?q=49999", "?sort=priority")

        for path in (f"{one}{query}" for one in lists for query in asked):
            assert queries(browser, path) <= 8, path
            begun = perf_counter()
            page = browser.get(path)
            took = perf_counter() - begun
            record_property(path, round(took * 1000))
            assert page.context["rows"], path
            assert took < AT_MOST, path

    def test_leave_an_open_ticket_cheap(self, cast, crowd, as_, record_property):
        browser = as_(cast.dana)

        assert queries(browser, url(crowd)) <= 10
        begun = perf_counter()
        assert browser.get(url(crowd, "news/?seen=1")).status_code == 204
        record_property("news", round((perf_counter() - begun) * 1000))
        assert perf_counter() - begun < AT_MOST

    def test_are_all_there(self, cast, crowd):
        assert Ticket.objects.filter(provider=cast.northwind).count() == MANY
        assert Unread.objects.of(cast.dana).count() == 1001
        assert crowd.length_for(Side.CUSTOMER) == 1
