"""Tickets in the admin: staff answer for Revampd, by the verbs of the pages."""

import pytest

from tests.pages import text
from tests.tickets.acts import NOW, SECRET, escalated, note, submit, texts
from tickets.keeping import Checked, kept
from tickets.models import Side, Ticket


@pytest.fixture
def staff(cast, as_):
    cast.rhea.is_superuser = True
    cast.rhea.save()
    cast.rhea.memberships.all().delete()  # staff alone, a member of nothing
    return as_(cast.rhea)


def path(ticket, page=""):
    return f"/admin/tickets/ticket/{ticket.pk}/{page or 'change/'}"


class TestAnswer:
    def test_is_said_for_revampd(self, cast, staff):
        ticket = submit(cast, connection=cast.revampd_bluebird)

        answer = staff.post(path(ticket, "answer/"), {"audience": "EVERYONE", "body": "Done."})

        assert answer.status_code == 302
        assert texts(ticket, Side.CUSTOMER)[-1] == "Done."

    def test_begins_for_revampd_alone(self, cast, staff):
        ticket = submit(cast, connection=cast.revampd_bluebird)

        page = staff.get(path(ticket, "answer/")).content.decode()

        assert 'value="INTERNAL" required id="id_audience_2" checked' in page or (
            'value="INTERNAL"' in page and "checked" in page.split('value="INTERNAL"')[1][:60]
        )

    def test_joins_what_was_escalated(self, cast, staff):
        ticket = escalated(cast)

        staff.post(path(ticket, "answer/"), {"audience": "ESCALATION", "body": "It is back."})

        assert "It is back." in texts(ticket, Side.PROVIDER)
        assert "It is back." not in texts(ticket, Side.CUSTOMER)

    def test_is_not_for_what_is_none_of_revampds_business(self, cast, staff):
        ticket = submit(cast)

        for page in ("answer/", "triage/"):
            assert staff.get(path(ticket, page)).status_code == 403

    def test_says_why_it_was_refused(self, cast, staff):
        ticket = submit(cast, connection=cast.revampd_bluebird)
        Ticket.objects.update(status="CLOSED")

        answer = staff.post(path(ticket, "answer/"), {"audience": "EVERYONE", "body": "Done."})

        assert answer.status_code == 409
        assert "is closed and stays so" in answer.content.decode()

    def test_is_closed_to_everybody_else(self, cast, as_):
        ticket = submit(cast, connection=cast.revampd_bluebird)

        assert as_(cast.ben).get(path(ticket, "answer/")).status_code in (302, 403, 404)


class TestTriage:
    def test_changes_how_it_stands(self, cast, staff):
        ticket = submit(cast, connection=cast.revampd_bluebird)
        given = {"status": "IN_PROGRESS", "priority": "HIGH", "assignee": cast.rhea.pk}

        staff.post(path(ticket, "triage/"), given)

        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority) == ("IN_PROGRESS", "HIGH")
        assert ticket.assignee == cast.rhea

    def test_of_what_is_escalated_is_who_looks_after_it(self, cast, staff):
        ticket = escalated(cast)

        staff.post(path(ticket, "triage/"), {"assignee": cast.rhea.pk, "status": "CLOSED"})

        ticket.refresh_from_db()
        assert (ticket.status, ticket.revampd_assignee) == ("OPEN", cast.rhea)


class TestLists:
    @pytest.mark.parametrize("model", ["ticket", "message", "attachment", "unread"])
    def test_are_read_only(self, cast, staff, model):
        note(submit(cast), cast.dana, SECRET)

        assert staff.get(f"/admin/tickets/{model}/").status_code == 200
        assert staff.get(f"/admin/tickets/{model}/add/").status_code == 403

    def test_keep_what_a_partner_leaves_for_itself_from_staff(self, cast, staff):
        ticket = escalated(cast)
        with kept([Checked("walrus.txt", "text/plain", b"walrus")]) as files:
            note(ticket, cast.dana, files=files)
        [file] = files
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        ticket.note("Ours alone.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        own = submit(cast, connection=cast.revampd_bluebird)
        own.note("Ours of our own.", side=Side.PROVIDER, by=cast.rhea, at=NOW)

        listed = text(staff.get("/admin/tickets/message/"))

        for word in ("form builder", "It is back.", "Ours alone.", "Ours of our own."):
            assert word in listed
        hidden = f"/admin/tickets/message/{file.message_id}/change/"
        attached = f"/admin/tickets/attachment/{file.pk}/change/"
        found = [f"/admin/find/?q={word}" for word in (file.message_id, file.pk)]
        lists = [f"/admin/tickets/message/?q={ticket.pk}", "/admin/tickets/attachment/"]
        for path in (hidden, attached, *found, *lists):
            shown = listed + text(staff.get(path, follow=True))
            assert SECRET not in shown, path
            assert "walrus" not in shown, path

    def test_find_the_conversation_of_a_ticket(self, cast, staff):
        ticket = submit(cast)

        found = staff.get("/admin/tickets/message/", {"q": str(ticket.pk)})

        assert "It says 500 since this morning." in found.content.decode()
        assert staff.get(path(ticket)).status_code == 200
