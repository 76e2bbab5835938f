"""Who is told of what in tickets, with which link."""

import pytest

from connections.models import Event, Outbox
from notifications.draining import drain_events
from notifications.models import Delivery, Notification
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


class TestOnce:
    """One act is told to a person once, however much it changes and whoever they are."""

    def only(self, person, after=0):
        """The one thing about tickets that `person` was told after that event, and mailed."""
        drain_events()
        about = {"category": "SUPPORT", "event__gt": after}
        [row] = Notification.objects.filter(recipient=person, **about).select_related("event")
        mails = Delivery.objects.filter(address=person.email, event__gt=after)
        [mail] = mails.filter(event__subject_type="tickets.ticket")
        assert mail.notification == row
        return row.event.code

    @pytest.mark.parametrize("status", ["RESOLVED", "CLOSED"])
    def test_whom_it_is_assigned_to_hears_that_and_not_its_status(self, cast, ticket, status):
        who = {"side": Side.PROVIDER, "by": cast.dana, "at": NOW}
        ticket.triage(assignee=cast.maya, priority="HIGH", status=status, **who)

        assert self.only(cast.maya) == "ticket.assigned"
        assert told(f"ticket.{status.lower()}") == ["Sam"]

    def test_an_assignment_tells_how_the_ticket_stands_after_all_of_the_act(self, cast, ticket):
        who = {"side": Side.PROVIDER, "by": cast.dana, "at": NOW}
        ticket.triage(assignee=cast.maya, priority="HIGH", status="IN_PROGRESS", **who)

        facts = Event.objects.get(code="ticket.assigned").facts
        assert (facts["status"], facts["priority"]) == ("In Progress", "High")

    def test_a_reply_tells_that_it_has_opened_the_ticket_again(self, cast, ticket):
        ticket.set_status("RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)
        ask(ticket, cast.ben)

        assert Event.objects.get(code="ticket.replied").facts["status"] == "Open"

    def test_who_looks_after_it_hears_of_a_later_act(self, cast, ticket):
        ticket.triage(assignee=cast.maya, side=Side.PROVIDER, by=cast.dana, at=NOW)
        ticket.triage(status="RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert told("ticket.assigned") == ["Maya"]
        assert told("ticket.resolved") == ["Maya", "Sam"]

    def test_who_answers_for_both_hears_of_a_reply_once(self, cast):
        cast.northwind.admit(cast.rhea, role="SUPPORT", by=cast.maya)
        support(cast, owner=cast.rhea)
        ticket = submit(cast)
        escalated(cast, ticket)
        before = Event.objects.latest("pk").pk
        ask(ticket, cast.ben)

        assert self.only(cast.rhea, after=before) == "ticket.replied"

    def test_who_answers_for_revampd_alone_hears_of_it_there(self, cast, ticket):
        escalated(cast, ticket)
        ask(ticket, cast.ben)

        assert told("ticket.replied") == ["Dana"]
        assert told("escalation.continued") == ["Rhea"]
