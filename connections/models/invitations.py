"""Invitations: an expiring link by e-mail, for a colleague or for a Sub-Org's first owner."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from connections import events
from connections.tokens import invitation_id
from revampd.kit.errors import Conflict, DomainError, Invalid, NotAllowed
from revampd.kit.locking import lock

from .connections import Connection
from .memberships import Membership, Role
from .organizations import Organization
from .people import User

OPEN_FOR = timedelta(days=14)


class InvitationClosed(Conflict):
    """The invitation was used, withdrawn or has expired."""


class SeatGivenBack(Conflict):
    """Nobody could use the link any more, so the seat of the Sub-Org went back to its Partner."""


class InvitationForSomebodyElse(NotAllowed):
    """The invitation went to another address than the one signed in."""


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, at: datetime) -> Self:
        return self.filter(state=Invitation.State.PENDING, expires_at__gt=at)

    def pending(self) -> Self:
        """Neither accepted nor withdrawn; their time may be over."""
        return self.filter(state=Invitation.State.PENDING)

    def to_colleagues_of(self, organization: Organization) -> Self:
        return self.filter(organization=organization, connection=None)

    def to_customers_of(self, provider: Organization) -> Self:
        return self.filter(connection__provider=provider)

    def sent_by(self, organization: Organization) -> Self:
        """To colleagues and to the first owners of customers."""
        to_colleagues = Q(organization=organization, connection=None)
        return self.filter(to_colleagues | Q(connection__provider=organization))

    def unanswered(self) -> Self:
        """The newest to each organization whose first owner has not come yet."""
        newer = Invitation.objects.filter(
            connection=OuterRef("connection"), invited_at__gt=OuterRef("invited_at")
        )
        invited = self.filter(organization__state=Organization.State.INVITED)
        return invited.exclude(state=Invitation.State.ACCEPTED).exclude(Exists(newer))

    def of_token(self, token: str) -> "Invitation":
        """The invitation that a link names. Raises DoesNotExist for a forged link."""
        key = invitation_id(token)
        if key is None:
            raise Invitation.DoesNotExist
        related = ("organization", "invited_by", "connection__provider")
        return self.select_related(*related).get(pk=key)


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
    @transaction.atomic
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
        provider = lock(provider)
        cls._guard_against_repetition(provider, name, email)
        connection = Connection.with_new_customer(provider=provider, name=name, by=by, at=at)
        if owners and any(owners.values()):
            connection.assign_owners(
                sales=owners.get("sales_owner"),
                support=owners.get("support_owner"),
                by=by,
                at=at,
            )
        return cls.send(
            organization=connection.customer,
            connection=connection,
            email=email,
            role=Role.OWNER,
            by=by,
            at=at,
        )

    @classmethod
    def _guard_against_repetition(cls, provider: Organization, name: str, email: str) -> None:
        """A form that is sent twice must not found two organizations."""
        invited = cls.objects.to_customers_of(provider).pending()
        if invited.filter(organization__name__iexact=name, email__iexact=email.strip()).exists():
            raise Invalid(f"{name} is invited already, at {email}.", field="name")

    @staticmethod
    def _clean_address(email: str) -> str:
        address = email.strip().lower()
        try:
            validate_email(address)
        except ValidationError as error:
            raise Invalid("Enter an e-mail address like ada@example.com.", field="email") from error
        return address

    def _record_sending(self, by: User, at: datetime) -> None:
        events.invitation_sent.record(
            self,
            by=by,
            at=at,
            organization=self.sender,
            connection=self.connection,
            email=self.email,
            role=Role(self.role).label,
            organization_name=self.organization.name,
            inviter=f"{by.name}, {self.sender.name}",
            expires=self.expires_at,
        )

    # Verbs

    @transaction.atomic
    def accept(self, *, by: User, at: datetime) -> Membership:
        """Join. Raises InvitationClosed, and InvitationForSomebodyElse for another address."""
        # The organization first, like `send`, so that the two cannot wait for each other.
        organization = lock(self.organization)
        invitation = lock(self)
        if refusal := invitation.refusal_of(by, at=at):
            raise refusal
        invitation.state = self.state = self.State.ACCEPTED
        invitation.accepted_by, invitation.closed_at = by, at
        invitation.save(update_fields=["state", "accepted_by", "closed_at"])
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

    def refusal_of(self, user: User | None, *, at: datetime) -> DomainError | None:
        """Why `user` cannot accept, None if they can; without a user, why nobody can."""
        ask_again = f"Ask {self.sender} for a new one."
        if self.state == self.State.ACCEPTED:
            return InvitationClosed("This invitation was used already.")
        if self.state == self.State.WITHDRAWN:
            return InvitationClosed("This invitation was withdrawn.", next_step=ask_again)
        if self.expires_at <= at:
            return InvitationClosed("This invitation has expired.", next_step=ask_again)
        if user and user.email.lower() != self.email.lower():
            return InvitationForSomebodyElse(
                f"This invitation went to {self.email}, and you are signed in as {user.email}."
            )
        return None

    @transaction.atomic
    def resend(
        self, *, by: User, at: datetime, email: str = "", has_seat: bool = False
    ) -> "Invitation":
        """Close this link and send a new one, to `email` if it went to a wrong address.

        A Sub-Org that gave its seat back needs another: `has_seat` says that it is there. Raises
        InvitationClosed if it was accepted, SeatGivenBack, Invalid like `send`.
        """
        organization = lock(self.organization)
        invitation = lock(self)
        if invitation.state == self.State.ACCEPTED:
            raise InvitationClosed("This invitation was used already.")
        if not (has_seat or self.holds_seat(at)):
            raise SeatGivenBack(
                f"{organization} gave its seat back when its link closed.",
                next_step=f"{self.sender} can invite it again, if its tier allows one more.",
            )
        if invitation.state == self.State.PENDING:
            invitation.withdraw(by=by, at=at)
        return type(self).send(
            organization=organization,
            connection=self.connection,
            email=email or self.email,
            role=self.role,
            by=by,
            at=at,
        )

    @transaction.atomic
    def withdraw(self, *, by: User, at: datetime) -> None:
        """Close the link. Raises InvitationClosed if it was used or withdrawn before."""
        invitation = lock(self)
        if invitation.state != self.State.PENDING:
            raise InvitationClosed(f"This invitation was {invitation.state.lower()} already.")
        invitation.state = self.state = self.State.WITHDRAWN
        invitation.closed_at = at
        invitation.save(update_fields=["state", "closed_at"])
        events.invitation_withdrawn.record(
            invitation,
            by=by,
            at=at,
            organization=self.sender,
            connection=self.connection,
            email=self.email,
        )

    # Properties

    @property
    def sender(self) -> Organization:
        """The organization that invites: the provider, or the colleagues themselves."""
        return self.connection.provider if self.connection else self.organization

    def holds_seat(self, at: datetime) -> bool:
        """Whether a Sub-Org still has its seat; others need none."""
        connection = self.connection
        if connection is None or connection.provider_kind != Organization.Kind.PARTNER:
            return True
        own = Connection.objects.filter(pk=connection.pk)
        return bool(own.taking_seats(at).exists())

    @property
    def invitee(self) -> str:
        """Who is invited, in a list: a company by its name, a colleague by the address."""
        return self.organization.name if self.connection_id else self.email

    @property
    def role_label(self) -> str:
        return Role(self.role).label

    @property
    def role_explanation(self) -> str:
        return Role(self.role).explanation

    def is_open(self, at: datetime) -> bool:
        return self.state == self.State.PENDING and self.expires_at > at
