"""Mail that failed is seen by whoever caused it."""

from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections.models import Invitation
from notifications.draining import drain_events
from notifications.models import Delivery

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
