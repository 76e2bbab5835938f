"""Fifty thousand tickets of one Partner: as many questions to the database as for a handful."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections

from tests.cast import Cast, assemble
from tests.conftest import emptied_afterwards, without_triggers
from tests.reading import reading
from tests.tickets.acts import NOW, submit, url
from tickets.models import Message, Side, Ticket, Unread

MANY = 50_000
AT_MOST = 8  # questions a page

pytestmark = pytest.mark.xdist_group("many tickets")  # built once

# A question of Sam's and a note of Dana's in each, with a word of its own.
TICKETS = """
    INSERT INTO tickets_ticket (id, connection_id, provider_id, number, title, priority,
        status, opened_by_id, opened_at, assignee_id, length, customer_length, customer_at,
        provider_length, provider_at, revampd_length)
    SELECT gen_random_uuid(), connection_id, provider_id, n, 'Question ' || n,
        (ARRAY['LOW', 'MEDIUM', 'HIGH'])[1 + n %% 3],
        (ARRAY['OPEN', 'IN_PROGRESS', 'RESOLVED', 'CLOSED'])[1 + n %% 4],
        opened_by_id, moment, CASE WHEN n %% 2 = 0 THEN %s END, 2, 1, moment, 2, moment, 0
    FROM tickets_ticket, generate_series(2, %s) n,
        LATERAL (SELECT opened_at - n * interval '1 minute' AS moment) earlier
    WHERE number = 1
"""
MESSAGES = """
    INSERT INTO tickets_message (id, ticket_id, position, kind, side, audience, author_id, body, at)
    SELECT gen_random_uuid(), ticket.id, said.position, 'MESSAGE', side, audience, author, body, at
    FROM tickets_ticket ticket, LATERAL (
        VALUES (1, 'CUSTOMER', 'EVERYONE', opened_by_id, 'The form, asked' || number, opened_at),
            (2, 'PROVIDER', 'INTERNAL', %s, 'The form, noted' || number, opened_at)
    ) said (position, side, audience, author, body, at)
    WHERE number > 1
"""
UNREAD = """
    INSERT INTO tickets_unread (ticket_id, user_id, organization_id, connection_id, since)
    SELECT id, %s, provider_id, connection_id, 1 FROM tickets_ticket WHERE number BETWEEN 2 AND 1001
"""


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(emptied_afterwards())
        yield assemble()


@pytest.fixture(scope="module")
def crowd(cast: Cast) -> Ticket:
    """All on one connection, a thousand of them unread by Dana; the first was submitted by hand."""
    ticket = submit(cast, at=NOW)
    owner = connections["owner"]
    with without_triggers(owner, Ticket, Message, Unread), owner.cursor() as cursor:
        cursor.execute(TICKETS, [cast.dana.pk, MANY])
        cursor.execute(MESSAGES, [cast.dana.pk])
        cursor.execute(UNREAD, [cast.dana.pk])
        cursor.execute("VACUUM ANALYZE tickets_ticket, tickets_message, tickets_unread")
    return ticket


def check(browser: Any, path: str) -> Any:
    """The page. It asks seldom, and looks through no table once a row."""
    found = reading(browser, path)
    assert found.questions <= AT_MOST, path
    assert "tickets_message" not in found.whole, path
    # The numbers of the tabs are counted over all, and a search is narrowed down to them.
    assert found.whole.get("tickets_ticket", 0) <= found.questions, path
    return found.page


class TestFiftyThousand:
    @pytest.fixture(params=["/organizations/northwind-agency/tickets/", "/connections/{}/tickets/"])
    def listed(self, request, crowd):
        return request.param.format(crowd.connection_id)

    def test_are_listed_by_few_questions(self, cast, as_, listed):
        browser = as_(cast.dana)
        browser.get(listed)  # puts the session into the cache
        mine = f"?status=OPEN&assignee={cast.dana.pk}"

        for asked in ("", "?unread=yes", mine, "?page=900", "?sort=priority"):
            assert len(check(browser, f"{listed}{asked}").context["rows"]) == 25, asked

    def test_are_searched_by_few_questions(self, cast, as_, listed):
        browser = as_(cast.dana)
        browser.get(listed)

        for asked, number in (("49999", 1), ("asked777", 11), ("noted777", 11), ("form", 25)):
            rows = check(browser, f"{listed}?q={asked}").context["rows"]
            assert len(rows) == number, asked

    def test_are_found_by_the_customer_in_what_it_may_read_alone(self, cast, crowd, as_):
        browser, listed = as_(cast.sam), f"/connections/{crowd.connection_id}/tickets/"
        browser.get(listed)

        for asked, number in (("", 25), ("?q=asked777", 11), ("?q=noted777", 0)):
            rows = check(browser, f"{listed}{asked}").context["rows"]
            assert len(rows) == number, asked

    @pytest.mark.parametrize(("who", "is_found"), [("dana", True), ("sam", False)])
    def test_are_found_from_everywhere_by_who_may_read_them(self, cast, crowd, as_, who, is_found):
        browser = as_(getattr(cast, who))
        browser.get("/search/")

        page = check(browser, "/search/?q=noted777").content.decode()

        assert ("Question 777" in page) is is_found

    def test_leave_an_open_ticket_and_its_news_cheap(self, cast, crowd, as_):
        browser = as_(cast.dana)
        browser.get(url(crowd))

        for page, status in (("", 200), ("news/?seen=1", 204)):
            found = reading(browser, url(crowd, page))
            assert found.page.status_code == status
            assert found.questions <= AT_MOST
            assert not found.whole.keys() & {"tickets_ticket", "tickets_message"}

    def test_are_all_there(self, cast, crowd):
        assert Ticket.objects.filter(provider=cast.northwind).count() == MANY
        read = Message.objects.visible_to(Side.PROVIDER).filter(ticket__provider=cast.northwind)
        assert read.count() == 2 * MANY - 1
        assert Unread.objects.of(cast.dana).count() == 1001
        assert Ticket.objects.get(pk=crowd.pk).length_for(Side.CUSTOMER) == 1
