"""Twenty people at one ticket at the same moment: threads that commit for real."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from connections.models import Connection, Event, User
from tests.cast import Cast, assemble
from tests.conftest import emptied_afterwards
from tests.guarantees.test_races import race, refusals
from tests.tickets.acts import NOW
from tickets.models import Message, Side, Ticket, Unread
from tickets.models.escalation import NotEscalated, StillEscalated
from tickets.models.talk import Closed
from tickets.seats import READ_WITH

MANY = 20
LETTERS = "abcdefghij"


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(emptied_afterwards())
        yield assemble()


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return Ticket.submit(
        cast.northwind_bluebird, title="Broken", body="Since noon.", by=cast.sam, at=NOW
    )


def own(ticket: Ticket) -> Ticket:
    """The same ticket as another worker loads it."""
    rows: Any = Ticket.objects.select_related(*READ_WITH)
    found: Ticket = rows.get(pk=ticket.pk)
    return found


def acting(
    ticket: Ticket, verb: str, *args: Any, side: str, by: User, **more: Any
) -> Callable[[], Any]:
    mine = own(ticket)
    return lambda: getattr(mine, verb)(*args, side=side, by=by, at=NOW, **more)


def positions(ticket: Ticket) -> list[int]:
    rows = Message.objects.visible_to(Side.PROVIDER).filter(ticket=ticket).in_order()
    return list(rows.values_list("position", flat=True))


class TestAtOnce:
    def test_all_replies_are_said_one_after_the_other(self, cast, ticket):
        answers = [
            acting(ticket, "reply", f"{n}", side=Side.PROVIDER, by=cast.dana) for n in range(10)
        ]
        asked = [
            acting(ticket, "reply", f"{n}", side=Side.CUSTOMER, by=cast.ben) for n in range(10)
        ]

        assert refusals(race(*answers, *asked, seed=1)) == []

        after = own(ticket)
        assert positions(ticket) == list(range(1, MANY + 2))
        assert (after.length, after.customer_length) == (MANY + 1, MANY + 1)

    def test_replying_and_closing_leaves_nothing_said_after_the_end(self, cast, ticket):
        acts = [acting(ticket, "reply", f"{n}", side=Side.CUSTOMER, by=cast.ben) for n in range(15)]
        acts += [
            acting(ticket, "set_status", "CLOSED", side=Side.PROVIDER, by=cast.dana)
            for _ in range(5)
        ]

        results = race(*acts, seed=2)

        assert all(isinstance(refusal, Closed) for refusal in refusals(results))
        last = Message.objects.visible_to(Side.CUSTOMER).filter(ticket=ticket).in_order().last()
        assert last.body == "set the status to Closed"
        said = sum(result is None for result in results[:15])
        assert own(ticket).length == 1 + said + 1
        assert Event.objects.about(ticket).filter(code="ticket.closed").count() == 1

    def test_assigning_tells_every_change_once(self, cast, ticket):
        people = [cast.dana, cast.maya, cast.noah, cast.vera]
        acts = [
            acting(ticket, "assign", people[n % 4], side=Side.PROVIDER, by=cast.maya)
            for n in range(MANY)
        ]

        assert refusals(race(*acts, seed=3)) == []

        rows = Message.objects.visible_to(Side.PROVIDER).filter(ticket=ticket).in_order()
        told = [row.body for row in rows if row.kind == "ASSIGNMENT"]
        assert all(first != second for first, second in pairwise(told))
        assert told[-1] == f"assigned this to {own(ticket).assignee.name}"

    def test_escalating_happens_once(self, cast, ticket):
        acts = [partial(own(ticket).escalate, "Help", by=cast.dana, at=NOW) for _ in range(MANY)]

        refused = refusals(race(*acts, seed=4))

        assert Counter(map(type, refused)) == {StillEscalated: MANY - 1}
        back = [partial(own(ticket).take_back, by=cast.dana, at=NOW) for _ in range(MANY)]
        assert Counter(map(type, refusals(race(*back, seed=5)))) == {NotEscalated: MANY - 1}

    def test_submitting_gives_each_a_number_and_one_form_one_ticket(self, cast):
        key, connection = uuid4(), cast.contoso_fabrikam

        def submitting(key: Any) -> Callable[[], Any]:
            rows = Connection.objects.select_related("provider", "customer")
            mine = rows.get(pk=connection.pk)
            given = {"title": "Same", "body": "Hello", "by": cast.fay, "at": NOW}
            return lambda: Ticket.submit(mine, key=key, **given)

        race(*(submitting(key) for _ in range(10)), *(submitting(None) for _ in range(10)), seed=6)

        numbers = sorted(connection.tickets.values_list("number", flat=True))
        assert numbers == list(range(1, 12))

    def test_reading_while_others_write_loses_nothing_new(self, cast, ticket):
        writing = [
            acting(ticket, "reply", f"{n}", side=Side.CUSTOMER, by=cast.ben) for n in range(10)
        ]
        seen = {"side": Side.PROVIDER, "by": cast.dana, "until": 1}
        reading = [partial(own(ticket).read, **seen) for _ in range(10)]

        race(*writing, *reading, seed=7)

        assert Unread.objects.get(ticket=ticket, user=cast.dana).since in (1, 2)
        own(ticket).read(side=Side.PROVIDER, by=cast.dana, until=11)
        assert not Unread.objects.filter(ticket=ticket, user=cast.dana).exists()
