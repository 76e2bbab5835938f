"""What whoever answers a ticket does with it: standing and escalation, page by page."""

from tests.pages import text
from tests.tickets.acts import (
    NOW,
    escalated,
    submit,
    url,
)
from tickets.models import Side, Ticket


class TestStanding:
    def given(self, **fields):
        return {"status": "IN_PROGRESS", "priority": "HIGH", "assignee": ""} | fields

    def test_changes_all_three(self, cast, as_):
        ticket = submit(cast)

        as_(cast.dana).post(url(ticket, "standing/"), self.given(assignee=str(cast.maya.pk)))

        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority) == ("IN_PROGRESS", "HIGH")
        assert ticket.assignee == cast.maya

    def test_changes_nothing_if_one_of_them_is_refused(self, cast, as_):
        ticket = escalated(cast)

        answer = as_(cast.dana).post(url(ticket, "standing/"), self.given(status="CLOSED"))

        assert answer.status_code == 409
        assert "Take it back first." in text(answer)
        assert Ticket.objects.get().priority == "MEDIUM"

    def test_leaves_alone_what_others_changed_meanwhile(self, cast, as_):
        ticket = submit(cast)
        form = as_(cast.dana).get(url(ticket)).context["standing"]
        shown = {field.html_name: field.value() for field in form}
        shown |= {field.html_initial_name: field.value() for field in form}
        who = {"side": Side.PROVIDER, "by": cast.maya, "at": NOW}
        ticket.triage(status="RESOLVED", priority="LOW", **who)

        as_(cast.dana).post(url(ticket, "standing/"), shown | {"assignee": str(cast.dana.pk)})

        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority) == ("RESOLVED", "LOW")
        assert ticket.assignee == cast.dana

    def test_offers_no_stranger(self, cast, as_):
        ticket = submit(cast)

        answer = as_(cast.dana).post(
            url(ticket, "standing/"), self.given(assignee=str(cast.sam.pk))
        )

        assert answer.status_code == 422
        assert Ticket.objects.get().assignee is None

    def test_is_revampds_to_assign_where_it_takes_part(self, cast, as_):
        ticket = escalated(cast)
        path = url(ticket, "standing/", cast.revampd_northwind)

        as_(cast.rhea).post(path, {"assignee": str(cast.rhea.pk), "status": "CLOSED"})

        ticket.refresh_from_db()
        assert (ticket.revampd_assignee, ticket.status) == (cast.rhea, "OPEN")

    def test_lets_the_customer_say_that_it_is_resolved(self, cast, as_):
        ticket = submit(cast)

        as_(cast.sam).post(url(ticket, "resolution/"))

        assert Ticket.objects.get().status == "RESOLVED"


class TestEscalation:
    def test_goes_there_and_back(self, cast, as_):
        ticket, dana = submit(cast), as_(cast.dana)

        dana.post(url(ticket, "escalation/"), {"body": "Please look"})
        assert Ticket.objects.get().is_escalated
        dana.post(url(ticket, "return/"))

        assert not Ticket.objects.get().is_escalated

    def test_is_not_offered_where_revampd_is_asked_itself(self, cast, as_):
        ticket = submit(cast, connection=cast.revampd_bluebird)

        assert "Escalate" not in text(
            as_(cast.rhea).get(url(ticket, connection=cast.revampd_bluebird))
        )

    def test_wants_a_reason(self, cast, as_):
        ticket = submit(cast)

        answer = as_(cast.dana).post(url(ticket, "escalation/"), {"body": ""})

        assert answer.status_code == 422
        assert "Say what Revampd should look at." in text(answer)
