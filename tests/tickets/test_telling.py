"""Who is told of what in tickets, with which link."""

import pytest

from connections.models import Outbox
from notifications.draining import drain_events
from notifications.models import Notification
from tests.tickets.acts import NOW, SECRET, answer, ask, escalated, note, submit, support, url
from tickets.models import Side


@pytest.fixture
def ticket(cast):
    support(cast)
    return submit(cast)


def told(code):
    """The first names of those who were told of such an event."""
    drain_events()
    rows = Notification.objects.filter(event__code=code)
    return sorted(row.recipient.name.split()[0] for row in rows.select_related("recipient"))


class TestTelling:
    def test_of_a_new_ticket_goes_to_the_support_owner_alone(self, ticket):
        assert told("ticket.submitted") == ["Dana"]

    def test_without_a_support_owner_goes_to_all_who_answer(self, cast):
        submit(cast)

        assert told("ticket.submitted") == ["Dana", "Maya"]

    def test_of_an_answer_goes_to_who_asked(self, cast, ticket):
        ask(ticket, cast.ben)
        answer(ticket, cast.dana)

        assert told("ticket.answered") == ["Ben", "Sam"]
        assert told("ticket.replied") == ["Dana"]

    def test_of_a_note_goes_to_the_provider_alone(self, cast, ticket):
        note(ticket, cast.maya)

        assert told("ticket.annotated") == ["Dana"]
        assert not Notification.objects.filter(body__contains=SECRET).exists()

    def test_of_an_escalation_goes_to_revampd(self, cast, ticket):
        escalated(cast, ticket)
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)

        assert told("escalation.begun") == ["Rhea"]
        assert told("escalation.answered") == ["Dana"]

    def test_leads_everybody_to_a_page_of_their_own(self, cast, ticket, as_):
        escalated(cast, ticket)
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        ask(ticket, cast.ben)
        answer(ticket, cast.dana)
        note(ticket, cast.maya)
        ticket.assign(cast.maya, side=Side.PROVIDER, by=cast.dana, at=NOW)
        ticket.take_back(by=cast.dana, at=NOW)
        ticket.set_status("RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)
        drain_events()

        rows = Notification.objects.filter(category="SUPPORT").select_related("recipient")
        assert len(rows) > 8
        for row in rows:
            opened = as_(row.recipient).post(f"/notifications/{row.pk}/opening/")
            assert as_(row.recipient).get(opened["Location"]).status_code == 200, row.title
        assert not Outbox.objects.exists()

    def test_of_a_status_says_what_comes_next(self, cast, ticket):
        ticket.set_status("RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)
        drain_events()

        [row] = Notification.objects.filter(event__code="ticket.resolved")
        assert row.recipient == cast.sam
        assert "reply: that opens it again" in row.body

    def test_of_work_in_progress_is_for_the_record(self, cast, ticket):
        ticket.set_status("IN_PROGRESS", side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert told("ticket.progressed") == []
        assert "in progress" not in url(ticket)
