"""A new Partner signs up by itself, through a referral link to Revampd."""

from datetime import datetime

from django.db import transaction

from connections.models import Connection, Organization, Role, User
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock

from .affiliates import events
from .models import Referral, ReferralLink
from .models.referrals import require_newcomer


class AlreadySignedUp(Conflict):
    """The person has founded a Partner through a link before."""


@transaction.atomic
def sign_up(link: ReferralLink, *, name: str, by: User, at: datetime) -> Connection:
    """Found the Partner `name` with `by`, whose address is verified, as its first owner.

    It is connected with Revampd at once, as if staff had invited it. Returns that connection.
    Raises LinkStopped, OwnReferral, AlreadySignedUp, Invalid.
    """
    platform = lock(link.provider)
    link = lock(link)
    link.require_open()
    if not platform.is_platform:
        raise Invalid(f"This link asks {platform}, which answers first.")
    name = name.strip()
    if not name:
        raise Invalid("Say what your company is called.", field="name")
    require_newcomer(link, by)
    _require_first(platform, by)
    connection = Connection.with_new_customer(provider=platform, name=name, by=by, at=at)
    partner = connection.customer
    partner.admit(by, role=Role.OWNER, by=by, at=at)
    Referral.begin(link, connection, by=by, at=at)
    partner.activate(by=by, at=at)
    connection.activate(by=by, at=at)
    events.partner_signed_up.record(
        partner, by=by, at=at, organization=partner, connection=connection, owner=link.owner.name
    )
    return connection


def _require_first(platform: Organization, by: User) -> None:
    known = Referral.objects.filter(provider=platform, brought_by=by).first()
    if known:
        raise AlreadySignedUp(
            f"You signed up with {known.referred} already.",
            next_step="You find it among your connections.",
        )
