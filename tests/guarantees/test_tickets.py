"""Tickets by raw SQL, as the application's role: what was said stays, and so does who reads it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.cast import Cast
from tests.guarantees.statements import NOT_ALLOWED, copy, copy_refused, refused
from tests.tickets.acts import NOW, ask, escalated, note, submit, with_file
from tickets.models import Attachment, Message, Side, Ticket


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    ticket = submit(cast)
    note(ticket, cast.dana)
    return ticket


def said(ticket, side=Side.PROVIDER):
    return Message.objects.visible_to(side).filter(ticket=ticket).in_order().last()


class TestMessages:
    @pytest.mark.parametrize("column", ["body", "audience", "side", "author_id", "at", "position"])
    def test_never_change(self, ticket, column):
        refused(f"UPDATE tickets_message SET {column} = {column}", by=NOT_ALLOWED)

    def test_are_never_shown_to_more_people(self, ticket):
        refused("UPDATE tickets_message SET audience = 'EVERYONE'", by=NOT_ALLOWED)

    def test_are_never_taken_away(self, ticket):
        refused("DELETE FROM tickets_message", by=NOT_ALLOWED)
        refused("TRUNCATE tickets_message CASCADE", by=NOT_ALLOWED)

    def test_of_customers_are_for_everybody(self, cast, ticket):
        ask(ticket, cast.sam)

        copy_refused(said(ticket), by="message_audience", position=9, audience="INTERNAL")

    def test_have_a_place_of_their_own(self, ticket):
        copy_refused(said(ticket), by="message_position")

    def test_come_from_who_belongs_to_the_side(self, cast, ticket):
        for author in (cast.sam, cast.noah, cast.rhea, cast.oscar):
            by = "only who belongs to a side speaks for it"
            copy_refused(said(ticket), by=by, position=9, author_id=author.pk)

    def test_come_from_revampd_only_while_it_takes_part(self, cast, ticket):
        by = "Revampd takes part in what is escalated"
        copy_refused(said(ticket), by=by, position=9, side="REVAMPD", author_id=cast.rhea.pk)
        copy_refused(said(ticket), by=by, position=9, audience="ESCALATION")
        escalated(cast, ticket)
        ticket.take_back(by=cast.dana, at=NOW)

        copy_refused(said(ticket), by=by, position=9, side="REVAMPD", author_id=cast.rhea.pk)

    def test_come_no_more_once_it_is_closed(self, cast, ticket):
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)
        rows = Message.objects.visible_to(Side.PROVIDER).filter(kind="MESSAGE", side="CUSTOMER")

        copy_refused(rows.get(), by="a closed ticket takes no message", position=9)

    def test_are_counted_for_each_side(self, ticket):
        copy(said(ticket), position=3, at=NOW + timedelta(hours=1))

        ticket.refresh_from_db()
        assert (ticket.length, ticket.provider_length, ticket.customer_length) == (3, 3, 1)
        assert (ticket.provider_at, ticket.customer_at) == (NOW + timedelta(hours=1), NOW)


class TestFiles:
    def test_never_change_and_never_move(self, cast):
        with_file(cast)

        refused("UPDATE tickets_attachment SET message_id = message_id", by=NOT_ALLOWED)
        refused("DELETE FROM tickets_attachment", by=NOT_ALLOWED)

    @pytest.mark.parametrize(
        "name", ["../a.txt", "a\\b.txt", "c:a.txt", "a\nb.txt", "a\u202eb.txt"]
    )
    def test_have_no_path_in_their_names(self, cast, name):
        ticket, _ = with_file(cast)
        [file] = Attachment.objects.visible_to(Side.CUSTOMER).filter(message__ticket=ticket)

        copy_refused(file, by="attachment_name", name=name, key=str(uuid4()))


class TestTickets:
    @pytest.mark.parametrize("column", ["title", "number", "connection_id", "opened_by_id"])
    def test_keep_what_they_are_about(self, ticket, column):
        refused(f"UPDATE tickets_ticket SET {column} = {column}", by=NOT_ALLOWED)

    def test_are_never_taken_away(self, ticket):
        refused("DELETE FROM tickets_ticket", by=NOT_ALLOWED)

    def test_stay_closed(self, cast, ticket):
        ticket.set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=NOW)

        refused("UPDATE tickets_ticket SET status = 'OPEN'", by="tickets_ticket")

    def test_are_looked_after_by_members_of_their_provider(self, cast, ticket):
        by = "a ticket is assigned to a member of its provider"
        refused("UPDATE tickets_ticket SET assignee_id = %s", cast.sam.pk, by=by)
        escalated(cast, ticket)

        refused("UPDATE tickets_ticket SET revampd_assignee_id = %s", cast.dana.pk, by=by)

    def test_are_escalated_over_the_partners_own_connection(self, cast, ticket):
        for other in (cast.contoso_fabrikam, cast.revampd_bluebird, cast.northwind_bluebird):
            refused(
                "UPDATE tickets_ticket SET escalated_over_id = %s",
                other.pk,
                by="ticket_escalated_by_provider",
            )

    def test_belong_to_the_provider_of_their_connection(self, cast, ticket):
        copy_refused(ticket, by="ticket_of_provider", number=9, provider_id=cast.contoso.pk)
