"""Tickets through their verbs: who may, what follows, what each side reads."""

from datetime import timedelta
from uuid import uuid4

import pytest

from connections.models import Event
from revampd.kit.errors import Invalid, NotAllowed
from tests.tickets.acts import NOW, SECRET, answer, ask, escalated, note, submit, support, texts
from tickets.models import Side, Ticket, Unread
from tickets.models.escalation import NotEscalated, StillEscalated
from tickets.models.talk import Closed


def unread_by(user):
    return list(Unread.objects.of(user).values_list("ticket__number", flat=True))


class TestSubmit:
    def test_goes_to_the_support_owner(self, cast):
        support(cast)

        ticket = submit(cast)

        assert ticket.assignee == cast.dana
        assert ticket.status == "OPEN"
        assert ticket.reference == "#1"
        assert texts(ticket, Side.CUSTOMER) == ["It says 500 since this morning."]

    def test_goes_to_nobody_without_one(self, cast):
        assert submit(cast).assignee is None

    def test_numbers_each_connection_for_itself(self, cast):
        theirs = submit(cast, connection=cast.contoso_fabrikam, by=cast.fay)

        assert [submit(cast).number, submit(cast).number, theirs.number] == [1, 2, 1]

    def test_of_the_same_form_twice_gives_the_first_ticket(self, cast):
        key = uuid4()

        first, second = submit(cast, key=key), submit(cast, "Changed", key=key)

        assert first == second
        assert Ticket.objects.count() == 1

    @pytest.mark.parametrize("who", ["bella", "theo", "dana", "zed", "fay"])
    def test_is_for_owners_and_support_of_the_customer(self, cast, who):
        with pytest.raises(NotAllowed):
            submit(cast, by=getattr(cast, who))

    @pytest.mark.parametrize(
        ("details", "field"),
        [
            ({"title": "  "}, "title"),
            ({"title": "x" * 161}, "title"),
            ({"body": " \n "}, "body"),
            ({"body": "x" * 20_001}, "body"),
            ({"priority": "URGENT"}, "priority"),
        ],
    )
    def test_wants_title_text_and_priority(self, cast, details, field):
        with pytest.raises(Invalid) as refusal:
            submit(cast, **details)

        assert refusal.value.field == field


class TestReply:
    def test_is_read_by_both_sides(self, cast):
        ticket = submit(cast)

        answer(ticket, cast.dana)

        assert texts(ticket, Side.CUSTOMER) == texts(ticket, Side.PROVIDER)
        assert texts(ticket, Side.CUSTOMER)[-1] == "We are on it."

    def test_of_the_customer_opens_what_was_resolved(self, cast):
        ticket = submit(cast)
        ticket.set_status("RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        ask(ticket, cast.ben, "Still broken.")

        assert Ticket.objects.get().status == "OPEN"
        assert texts(ticket, Side.CUSTOMER)[-1] == "reopened this by replying"

    def test_of_the_provider_leaves_it_resolved(self, cast):
        ticket = submit(cast)
        ticket.set_status("RESOLVED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        answer(ticket, cast.dana, "You are welcome.")

        assert Ticket.objects.get().status == "RESOLVED"

    def test_to_what_is_closed_is_refused(self, cast):
        ticket = submit(cast)
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        for side, by in ((Side.CUSTOMER, cast.sam), (Side.PROVIDER, cast.dana)):
            with pytest.raises(Closed):
                ticket.reply("One more thing", side=side, by=by, at=NOW)

    def test_of_the_same_form_twice_is_said_once(self, cast):
        ticket, key = submit(cast), uuid4()

        for _ in range(2):
            answer(ticket, cast.dana, key=key)

        assert texts(ticket, Side.PROVIDER).count("We are on it.") == 1

    @pytest.mark.parametrize("who", ["noah", "vera", "sam", "zed", "rhea"])
    def test_of_the_provider_is_for_its_owners_and_support(self, cast, who):
        with pytest.raises(NotAllowed):
            answer(submit(cast), getattr(cast, who))


class TestNote:
    def test_is_read_by_the_provider_alone(self, cast):
        ticket = submit(cast)

        note(ticket, cast.dana)

        assert SECRET in texts(ticket, Side.PROVIDER)
        assert SECRET not in texts(ticket, Side.CUSTOMER)

    def test_moves_no_number_that_the_customer_may_know(self, cast):
        ticket = submit(cast)
        before = (ticket.customer_length, ticket.customer_at)

        note(ticket, cast.dana, at=NOW + timedelta(hours=1))

        ticket.refresh_from_db()
        assert (ticket.customer_length, ticket.customer_at) == before
        assert ticket.provider_length == 2
        assert ticket.provider_at == NOW + timedelta(hours=1)

    def test_is_nothing_that_a_customer_writes(self, cast):
        with pytest.raises(NotAllowed):
            submit(cast).note("For us", side=Side.CUSTOMER, by=cast.sam, at=NOW)

    def test_can_be_left_in_what_is_closed(self, cast):
        ticket = submit(cast)
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        note(ticket, cast.dana)

        assert SECRET in texts(ticket, Side.PROVIDER)

    def test_of_revampd_is_not_read_by_the_partner(self, cast):
        ticket = escalated(cast)

        ticket.note("Their plan is cheap.", side=Side.REVAMPD, by=cast.rhea, at=NOW)

        assert "Their plan is cheap." in texts(ticket, Side.REVAMPD)
        assert "Their plan is cheap." not in texts(ticket, Side.PROVIDER)
        assert ticket.provider_length == len(texts(ticket, Side.PROVIDER))


class TestSetStatus:
    def test_stands_in_the_thread(self, cast):
        ticket = submit(cast)

        ticket.set_status("IN_PROGRESS", side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert texts(ticket, Side.CUSTOMER)[-1] == "set the status to In Progress"

    def test_to_what_it_is_changes_nothing(self, cast):
        ticket = submit(cast)

        ticket.set_status("OPEN", side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert ticket.length == 1

    @pytest.mark.parametrize("status", ["OPEN", "IN_PROGRESS", "RESOLVED"])
    def test_leaves_closed_what_is_closed(self, cast, status):
        ticket = submit(cast)
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        with pytest.raises(Closed):
            ticket.set_status(status, side=Side.PROVIDER, by=cast.dana, at=NOW)

    def test_lets_the_customer_say_that_it_is_resolved_and_no_more(self, cast):
        ticket = submit(cast)

        for status in ("IN_PROGRESS", "CLOSED"):
            with pytest.raises(NotAllowed):
                ticket.set_status(status, side=Side.CUSTOMER, by=cast.sam, at=NOW)
        ticket.set_status("RESOLVED", side=Side.CUSTOMER, by=cast.sam, at=NOW)

        assert ticket.status == "RESOLVED"

    def test_closes_nothing_that_is_with_revampd(self, cast):
        ticket = escalated(cast)

        with pytest.raises(StillEscalated):
            ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)


class TestAssign:
    def test_takes_members_of_the_provider_alone(self, cast):
        ticket = submit(cast)

        ticket.assign(cast.maya, side=Side.PROVIDER, by=cast.dana, at=NOW)
        with pytest.raises(Invalid):
            ticket.assign(cast.sam, side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert Ticket.objects.get().assignee == cast.maya

    def test_makes_nothing_unread(self, cast):
        ticket = submit(cast)
        Unread.objects.all().delete()

        ticket.assign(cast.maya, side=Side.PROVIDER, by=cast.dana, at=NOW)

        assert not Unread.objects.exists()

    def test_of_staff_is_possible_where_revampd_is_asked(self, cast):
        cast.rhea.memberships.update(role="VIEWER")
        ticket = submit(cast, connection=cast.revampd_bluebird)

        ticket.assign(cast.rhea, side=Side.PROVIDER, by=cast.rhea, at=NOW)

        assert Ticket.objects.get().assignee == cast.rhea


class TestEscalate:
    def test_lets_revampd_read_what_everybody_reads(self, cast):
        ticket = submit(cast)
        note(ticket, cast.dana)

        escalated(cast, ticket)

        assert texts(ticket, Side.REVAMPD) == [
            "It says 500 since this morning.",
            "escalated this to Revampd",
            "Is the form builder down?",
        ]
        assert ticket.revampd_length == 3

    def test_shows_the_customer_nothing(self, cast):
        ticket = submit(cast)
        before = ticket.customer_length

        escalated(cast, ticket)
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        ticket.take_back(by=cast.dana, at=NOW)

        assert texts(ticket, Side.CUSTOMER) == ["It says 500 since this morning."]
        assert ticket.customer_length == before
        told = Event.objects.filter(connection=cast.northwind_bluebird, code__contains="escalation")
        assert not told.exists()

    def test_lets_revampd_answer_the_customer_in_the_same_conversation(self, cast):
        ticket = escalated(cast)

        ticket.reply("We fixed it.", side=Side.REVAMPD, by=cast.rhea, at=NOW)

        for side in Side:
            assert texts(ticket, side)[-1] == "We fixed it."

    def test_is_for_the_partner_and_once(self, cast):
        ticket = submit(cast)
        with pytest.raises(NotAllowed):
            ticket.escalate("Help", by=cast.sam, at=NOW)
        escalated(cast, ticket)
        with pytest.raises(StillEscalated):
            ticket.escalate("Help", by=cast.dana, at=NOW)

    def test_is_nothing_for_what_revampd_is_asked_itself(self, cast):
        ticket = submit(cast, connection=cast.revampd_bluebird)

        with pytest.raises(NotAllowed):
            ticket.escalate("Help", by=cast.rhea, at=NOW)


class TestTakeBack:
    def test_keeps_what_was_written_and_ends_what_revampd_reads(self, cast):
        ticket = escalated(cast)
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)

        ticket.take_back(by=cast.dana, at=NOW)
        ask(ticket, cast.sam, "Thank you!")

        assert "It is back." in texts(ticket, Side.REVAMPD)
        assert "Thank you!" not in texts(ticket, Side.REVAMPD)
        assert "It is back." in texts(ticket, Side.PROVIDER)

    def test_leaves_revampd_nothing_to_say(self, cast):
        ticket = escalated(cast)
        ticket.take_back(by=cast.dana, at=NOW)

        for write in (ticket.reply, ticket.note, ticket.consult):
            with pytest.raises(NotAllowed):
                write("One more thing", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        with pytest.raises(NotEscalated):
            ticket.consult("Hello?", side=Side.PROVIDER, by=cast.dana, at=NOW)

    def test_can_be_followed_by_another_escalation_that_shows_all_of_it(self, cast):
        ticket = escalated(cast)
        ticket.note("Known to us.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        ticket.take_back(by=cast.dana, at=NOW)
        ask(ticket, cast.sam, "Broken again.")

        escalated(cast, ticket)

        read = texts(ticket, Side.REVAMPD)
        assert {"Known to us.", "Broken again."} <= set(read)
        ticket.refresh_from_db()
        assert ticket.revampd_length == len(read)


class TestUnread:
    def test_is_what_others_wrote(self, cast):
        ticket = submit(cast)

        assert unread_by(cast.dana) == [1]
        assert unread_by(cast.theo) == [1]
        assert unread_by(cast.sam) == []
        assert unread_by(cast.oscar) == []
        assert ticket.customer_length == 1

    def test_never_comes_from_a_note_on_the_customers_side(self, cast):
        ticket = submit(cast)
        Unread.objects.all().delete()

        note(ticket, cast.dana)

        assert unread_by(cast.maya) == [1]
        for person in (cast.ben, cast.bella, cast.sam, cast.theo, cast.rhea):
            assert unread_by(person) == []

    def test_ends_with_reading(self, cast):
        ticket = submit(cast)

        ticket.read(side=Side.PROVIDER, by=cast.dana, until=1)

        assert unread_by(cast.dana) == []
        assert unread_by(cast.maya) == [1]

    def test_stays_for_what_came_while_somebody_read(self, cast):
        ticket = submit(cast)
        ask(ticket, cast.ben)

        ticket.read(side=Side.PROVIDER, by=cast.dana, until=1)

        assert Unread.objects.get(user=cast.dana).since == 2
