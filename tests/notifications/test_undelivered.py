"""Mail that failed is seen by whoever caused it."""

import re

from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections.models import Invitation
from notifications.draining import drain_events
from notifications.models import Delivery
from tests.tickets.acts import NOW, answer, ask, escalated, note, submit, support, url
from tickets.models import Side

REASON = "550 no such mailbox"


def fail_all() -> None:
    Delivery.objects.update(state=Delivery.State.FAILED, reason=REASON)


class TestUndelivered:
    def test_shows_the_provider_which_mail_of_a_request_failed(self, cast, as_):
        request = BillingRequest.propose(
            Proposal(cast.growth),
            connection=cast.northwind_bluebird,
            by=cast.noah,
            at=timezone.now(),
        )
        drain_events()
        path = f"/connections/{request.connection_id}/requests/{request.pk}/"
        assert REASON not in as_(cast.maya).get(path).content.decode()

        fail_all()

        assert REASON in as_(cast.maya).get(path).content.decode()
        assert REASON not in as_(cast.ben).get(path).content.decode()

    def test_shows_the_inviter_that_an_invitation_did_not_arrive(self, cast, as_):
        invitation = Invitation.send(
            organization=cast.northwind,
            email="gone@example.com",
            role="VIEWER",
            by=cast.maya,
            at=timezone.now(),
        )
        drain_events()
        fail_all()

        path = f"/organizations/{cast.northwind.slug}/invitations/{invitation.pk}/resending/"
        page = as_(cast.maya).get(path).content.decode()

        assert "Mail that did not arrive" in page
        assert REASON in page


class TestOfATicket:
    """Whoever answers a ticket sees which of its mails failed, and sends them again."""

    def lost(self, cast):
        """A ticket whose answer did not reach Sam."""
        support(cast)
        ticket = submit(cast)
        drain_events()
        answer(ticket, cast.dana)
        drain_events()
        delivery = Delivery.objects.get(address=cast.sam.email, event__code="ticket.answered")
        Delivery.objects.filter(pk=delivery.pk).update(state="FAILED", reason=REASON)
        return ticket, delivery

    def sending(self, delivery, organization):
        return f"/organizations/{organization.slug}/notifications/mail/{delivery.pk}/sending/"

    def test_is_seen_and_sent_again_by_who_answers(self, cast, as_):
        ticket, delivery = self.lost(cast)
        path = self.sending(delivery, cast.northwind)
        page = as_(cast.dana).get(url(ticket)).content.decode()
        assert REASON in page
        assert path in page

        answered = as_(cast.dana).post(path, {"back": url(ticket)})

        assert answered["Location"] == url(ticket)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.QUEUED
        assert REASON not in as_(cast.dana).get(url(ticket)).content.decode()

    def test_is_not_for_the_customer_or_who_only_reads(self, cast, as_):
        ticket, delivery = self.lost(cast)

        for who in (cast.sam, cast.ben, cast.vera):
            page = as_(who).get(url(ticket)).content.decode()
            assert REASON not in page, who
            assert "Mail that did not arrive" not in page, who
        for who, status in ((cast.vera, 403), (cast.sam, 404)):
            tried = as_(who).post(self.sending(delivery, cast.northwind))
            assert tried.status_code == status, who
        own = as_(cast.sam).post(self.sending(delivery, cast.bluebird))
        assert own.status_code == 404
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.FAILED

    def test_lets_who_answers_tickets_send_no_mail_of_billing(self, cast, as_):
        BillingRequest.propose(
            Proposal(cast.growth),
            connection=cast.northwind_bluebird,
            by=cast.noah,
            at=timezone.now(),
        )
        drain_events()
        fail_all()
        [request] = BillingRequest.objects.all()
        delivery = Delivery.objects.about(request).get(address=cast.ben.email)
        path = self.sending(delivery, cast.northwind)

        assert as_(cast.dana).post(path).status_code == 403
        lists = f"/organizations/{cast.northwind.slug}/notifications/mail/"
        assert path not in as_(cast.dana).get(lists).content.decode()
        assert path in as_(cast.noah).get(lists).content.decode()
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.FAILED

    def test_keeps_what_each_side_hides_from_the_other(self, cast, as_):
        ticket, _ = self.lost(cast)
        escalated(cast, ticket)
        ticket.consult("It is back.", side=Side.REVAMPD, by=cast.rhea, at=NOW)
        note(ticket, cast.maya)
        ask(ticket, cast.ben)
        drain_events()
        for delivery in Delivery.objects.about(ticket):
            reason = f"{delivery.event.code} to {delivery.address}"
            Delivery.objects.filter(pk=delivery.pk).update(state="FAILED", reason=reason)

        above = url(ticket, connection=cast.revampd_northwind)
        northwind = as_(cast.dana).get(url(ticket)).content.decode()
        revampd = as_(cast.rhea).get(above).content.decode()

        assert f"ticket.annotated to {cast.dana.email}" in northwind
        assert f"ticket.answered to {cast.sam.email}" in northwind
        assert "escalation." not in northwind
        assert f"escalation.begun to {cast.rhea.email}" in revampd
        assert "ticket.annotated" not in revampd
        assert "ticket.answered" not in revampd
        for who in (cast.ben, cast.sam):
            customer = as_(who).get(url(ticket)).content.decode()
            assert not re.search(r"(ticket|escalation)\.[a-z]+ to ", customer)
