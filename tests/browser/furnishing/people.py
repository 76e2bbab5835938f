"""Who is invited, what they have read, and mail that does not reach them."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from billing.models import SubOrgImport
from billing.models.sub_org_imports import NewSubOrg
from connections.kinds import Category
from connections.models import Invitation, User
from connections.tokens import invitation_token
from notifications.models import Delivery, Notification, Preference
from notifications.tokens import EVERYTHING, unsubscribe_token
from tests.cast import Cast

from .furnished import LONG_NAME, Furnished


def invite(house: Furnished, now: datetime) -> None:
    cast = house.cast
    colleague = Invitation.send(
        organization=cast.northwind, email="new@example.com", role="VIEWER", by=cast.maya, at=now
    )
    Invitation.send_to_customer(
        provider=cast.northwind, name=LONG_NAME, email="first@example.com", by=cast.maya, at=now
    )
    house.values |= {
        "import_id": _imported(cast, 3).pk,
        "import over": _imported(cast, 40, are_over=True).pk,
        "token": invitation_token(colleague.pk),
        "invitation_id": colleague.pk,
        "key": "nobody",
    }


@transaction.atomic
def _imported(cast: Cast, number: int, *, are_over: bool = False) -> SubOrgImport:
    """A file of Sub-Orgs that is under way, or one of which nobody could be invited."""
    rows = [NewSubOrg(line, f"{LONG_NAME} {line}", "a@b.example") for line in range(2, 2 + number)]
    begun = SubOrgImport.begin(
        rows, partner=cast.northwind, by=cast.maya, at=timezone.now(), key=uuid4()
    )
    if are_over:
        for row in begun.rows.all():
            row.refuse(f"“{row.name}” is one of your Sub-Orgs already.")
        begun.advance(invited=0, refused=number, at=timezone.now())
    return begun


def read_some(user: User, now: datetime) -> None:
    """All but the newest four."""
    newest = Notification.objects.of(user).order_by("-pk").values("pk")[:4]
    Notification.objects.of(user).exclude(pk__in=newest).mark_read(at=now)


def lose_mail(house: Furnished, now: datetime) -> None:
    """Bella's mailbox is gone, so her mail comes back; whoever sent it sees that."""
    cast = house.cast
    sent = Delivery.objects.answered_for_by(cast.northwind).filter(address=cast.bella.email)
    lost, *others = sent.order_by("-event_id")[:4]
    lost.mark_sent(at=now)
    lost.bounce(
        "550 5.1.1 " + LONG_NAME + " does not know this mailbox.", at=now, is_permanent=True
    )
    for one in others:
        one.hold("Mail to this address came back.")
    Preference.choose(cast.ben, {(Category.ACCOUNT, "MAIL"): "DAILY"}, at=now)
    house.values |= {
        "delivery_id": lost.pk,
        "signed": unsubscribe_token(cast.ben, Category.REVAMPD_BILLING),
        "signed for all": unsubscribe_token(cast.maya, EVERYTHING),
    }
