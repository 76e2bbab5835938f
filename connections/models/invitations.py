"""Invitations: an expiring link by e-mail, for a colleague or for a Sub-Org's first owner."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from connections import events
from connections.tokens import invitation_id
from revampd.kit.errors import Conflict, Invalid, NotAllowed
from revampd.kit.locking import lock

from .connections import Connection
from .organizations import Membership, Organization, Role
from .people import User

OPEN_FOR = timedelta(days=14)


class InvitationClosed(Conflict):
    """The invitation was used, withdrawn or has expired."""


class InvitationForSomebodyElse(NotAllowed):
    """The invitation went to another address than the one signed in."""


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, at: datetime) -> Self:
        return self.filter(state=Invitation.State.PENDING, expires_at__gt=at)

    def of_token(self, token: str) -> "Invitation":
        """The invitation that a link names. Raises DoesNotExist for a forged link."""
        key = invitation_id(token)
        if key is None:
            raise Invitation.DoesNotExist
        return self.select_related("organization", "connection__provider").get(pk=key)


class Invitation(models.Model):
    """An offer of membership. With `connection`, accepting it makes that active as well."""

    class State(models.TextChoices):
        PENDING = "PENDING", "Open"
        ACCEPTED = "ACCEPTED", "Accepted"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invitations"
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=10, choices=Role)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    invited_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(state="PENDING"),
                name="invitation_one_open_an_address",
            ),
            models.CheckConstraint(
                condition=Q(state="ACCEPTED", accepted_by__isnull=False, closed_at__isnull=False)
                | Q(state="WITHDRAWN", accepted_by__isnull=True, closed_at__isnull=False)
                | Q(state="PENDING", accepted_by__isnull=True, closed_at__isnull=True),
                name="invitation_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}"

    # Factories

    @classmethod
    @transaction.atomic
    def send(
        cls,
        *,
        organization: Organization,
        email: str,
        role: str,
        by: User,
        at: datetime,
        connection: Connection | None = None,
    ) -> "Invitation":
        """Invite an address. An open invitation to it is withdrawn and a new link goes out.

        Raises Invalid if the address cannot be one, or belongs to a member already.
        """
        organization = lock(organization)
        email = cls._clean_address(email)
        if organization.memberships.filter(user__email__iexact=email).exists():
            raise Invalid(f"{email} is a member of {organization} already.", field="email")
        open_ones = cls.objects.filter(organization=organization, state=cls.State.PENDING)
        open_ones.filter(email__iexact=email).update(state=cls.State.WITHDRAWN, closed_at=at)
        invitation = cls.objects.create(
            organization=organization,
            connection=connection,
            email=email,
            role=role,
            invited_by=by,
            invited_at=at,
            expires_at=at + OPEN_FOR,
        )
        invitation._record_sending(by, at)
        return invitation

    @classmethod
    def send_to_customer(
        cls,
        *,
        provider: Organization,
        name: str,
        email: str,
        by: User,
        at: datetime,
        owners: dict[str, Membership | None] | None = None,
    ) -> "Invitation":
        """Found a customer of `provider` and invite its first owner.

        A Partner's Sub-Org is connected with Revampd as well. Raises Invalid.
        """
        with transaction.atomic():
            kind = Organization.Kind.PARTNER if provider.is_platform else Organization.Kind.SUB_ORG
            customer = Organization.found(kind=kind, name=name, by=by, at=at)
            connection = Connection.open(
                provider=provider, customer=customer, by=by, at=at, **(owners or {})
            )
            if not provider.is_platform:
                platform = Organization.objects.platform()
                Connection.open(provider=platform, customer=customer, by=by, at=at)
            return cls.send(
                organization=customer,
                connection=connection,
                email=email,
                role=Role.OWNER,
                by=by,
                at=at,
            )

    @staticmethod
    def _clean_address(email: str) -> str:
        address = email.strip().lower()
        try:
            validate_email(address)
        except ValidationError as error:
            raise Invalid("Enter an e-mail address like ada@example.com.", field="email") from error
        return address

    def _record_sending(self, by: User, at: datetime) -> None:
        inviter = self.connection.provider if self.connection else self.organization
        events.invitation_sent.record(
            self,
            by=by,
            at=at,
            organization=inviter,
            connection=self.connection,
            email=self.email,
            role=Role(self.role).label,
            organization_name=self.organization.name,
            inviter=f"{by.name}, {inviter.name}",
            expires=self.expires_at,
        )

    # Verbs

    @transaction.atomic
    def accept(self, *, by: User, at: datetime) -> Membership:
        """Join. Raises InvitationClosed, and InvitationForSomebodyElse for another address."""
        invitation = lock(self)
        invitation._guard_acceptance(by, at)
        invitation.state = self.state = self.State.ACCEPTED
        invitation.accepted_by, invitation.closed_at = by, at
        invitation.save(update_fields=["state", "accepted_by", "closed_at"])
        organization = lock(invitation.organization)
        membership = organization.admit(by, role=invitation.role, by=by, at=at)
        if invitation.connection:
            organization.activate(by=by, at=at)
            for connection in organization.bought.order_by("id"):
                connection.activate(by=by, at=at)
        events.invitation_accepted.record(
            invitation,
            by=by,
            at=at,
            organization=organization,
            member=by.name,
            email=invitation.email,
            role=membership.role_label,
            organization_name=organization.name,
        )
        return membership

    def _guard_acceptance(self, by: User, at: datetime) -> None:
        if self.state == self.State.ACCEPTED:
            raise InvitationClosed("This invitation was used already.")
        if self.state == self.State.WITHDRAWN:
            raise InvitationClosed(
                "This invitation was withdrawn.",
                next_step=f"Ask {self.organization} for a new one.",
            )
        if self.expires_at <= at:
            raise InvitationClosed(
                "This invitation has expired.", next_step=f"Ask {self.organization} for a new one."
            )
        if by.email.lower() != self.email.lower():
            raise InvitationForSomebodyElse(
                f"This invitation went to {self.email}, and you are signed in as {by.email}."
            )

    @transaction.atomic
    def withdraw(self, *, by: User, at: datetime) -> None:
        """Close the link. Raises InvitationClosed if it was used or withdrawn before."""
        invitation = lock(self)
        if invitation.state != self.State.PENDING:
            raise InvitationClosed("This invitation is closed already.")
        invitation.state = self.state = self.State.WITHDRAWN
        invitation.closed_at = at
        invitation.save(update_fields=["state", "closed_at"])
        events.invitation_withdrawn.record(
            invitation, by=by, at=at, organization=self.organization, email=self.email
        )

    # Properties

    def is_open(self, at: datetime) -> bool:
        return self.state == self.State.PENDING and self.expires_at > at
