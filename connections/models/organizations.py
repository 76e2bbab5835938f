"""Organizations and their members."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from connections import events
from revampd.kit.errors import Conflict, NotAllowed
from revampd.kit.locking import lock

from .people import User, validate_time_zone

if TYPE_CHECKING:
    from .connections import Connection


class LastOwner(Conflict):
    """An organization must keep an owner."""


class Role(models.TextChoices):
    """What a member may do: product rules, "Who may do what"."""

    OWNER = "OWNER", "Owner"
    BILLING = "BILLING", "Billing"
    SUPPORT = "SUPPORT", "Support"
    VIEWER = "VIEWER", "Viewer"

    @property
    def explanation(self) -> str:
        return ROLE_EXPLANATIONS[self.value]


ROLE_EXPLANATIONS = {
    "OWNER": "Everything, including members and settings",
    "BILLING": "Requests, decisions, plans, invoices and payments",
    "SUPPORT": "Tickets",
    "VIEWER": "Reads everything, changes nothing",
}


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def platform(self) -> "Organization":
        """Revampd itself, of which there is exactly one."""
        return self.get(kind=Organization.Kind.PLATFORM)


class Organization(models.Model):
    """A company: the platform (Revampd itself, exactly one), a Partner, or a Sub-Org."""

    class Kind(models.TextChoices):
        PLATFORM = "PLATFORM", "Platform"
        PARTNER = "PARTNER", "Partner"
        SUB_ORG = "SUB_ORG", "Sub-Org"

    class State(models.TextChoices):
        INVITED = "INVITED", "Invited"
        ACTIVE = "ACTIVE", "Active"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.INVITED, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80, unique=True, editable=False)
    legal_name = models.CharField(max_length=200, blank=True)
    address = models.TextField(max_length=500, blank=True)
    billing_email = models.EmailField("billing e-mail", blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind="PLATFORM"), name="one_platform"
            ),
            # Connections point at (id, kind), so that a provider's kind is a database rule.
            models.UniqueConstraint(fields=["id", "kind"], name="organization_id_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=["PLATFORM", "PARTNER", "SUB_ORG"]), name="organization_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["INVITED", "ACTIVE"]), name="organization_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # Factories

    @classmethod
    def found(
        cls, *, kind: str, name: str, by: User | None, at: datetime | None = None, **details: Any
    ) -> "Organization":
        """A new organization, invited until its first owner accepts. The platform is active."""
        is_platform = kind == cls.Kind.PLATFORM
        organization = cls.objects.create(
            kind=kind,
            name=name,
            slug=cls._free_slug(name),
            state=cls.State.ACTIVE if is_platform else cls.State.INVITED,
            created_at=at or timezone.now(),
            **details,
        )
        events.organization_founded.record(organization, by=by, at=at, organization=organization)
        return organization

    @classmethod
    def _free_slug(cls, name: str) -> str:
        stem = slugify(name)[:60] or "organization"
        taken = set(cls.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
        if stem not in taken:
            return stem
        return next(slug for n in range(2, 10**6) if (slug := f"{stem}-{n}") not in taken)

    # Verbs

    def activate(self, *, by: User | None, at: datetime | None = None) -> None:
        """Its first owner has arrived. Doing it again changes nothing."""
        invited = type(self).objects.filter(pk=self.pk, state=self.State.INVITED)
        if invited.update(state=self.State.ACTIVE):
            self.state = self.State.ACTIVE
            events.organization_activated.record(self, by=by, at=at, organization=self)

    @transaction.atomic
    def change_details(self, *, by: User, at: datetime | None = None, **details: Any) -> None:
        """Change name, address and the like; the event keeps what stood there before."""
        organization = lock(self)
        before = {
            field: getattr(organization, field)
            for field, value in details.items()
            if getattr(organization, field) != value
        }
        if not before:
            return
        for field, value in details.items():
            setattr(organization, field, value)
            setattr(self, field, value)
        organization.save(update_fields=list(before))
        events.organization_changed.record(
            organization,
            by=by,
            at=at,
            organization=organization,
            before=before,
            after={field: details[field] for field in before},
        )

    @transaction.atomic
    def admit(
        self, user: User, *, role: str, by: User | None, at: datetime | None = None
    ) -> "Membership":
        """Make `user` a member. If they are one already, their present role stands."""
        membership, is_new = Membership.objects.get_or_create(
            organization=self,
            user=user,
            defaults={"role": role, "joined_at": at or timezone.now()},
        )
        if is_new:
            events.member_joined.record(
                membership,
                by=by,
                at=at,
                organization=self,
                member=user.name,
                role=membership.role_label,
            )
        return membership

    # Properties

    @property
    def is_platform(self) -> bool:
        return self.kind == self.Kind.PLATFORM

    @property
    def is_partner(self) -> bool:
        return self.kind == self.Kind.PARTNER

    @property
    def is_seller(self) -> bool:
        """Whether it can be the provider of a connection."""
        return self.kind in (self.Kind.PLATFORM, self.Kind.PARTNER)

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def kind_label(self) -> str:
        return self.Kind(self.kind).label

    @property
    def party_details(self) -> dict[str, str]:
        """Name and address as an invoice freezes them."""
        return {
            "name": self.legal_name or self.name,
            "address": self.address,
            "email": self.billing_email,
            "tax_number": self.tax_number,
        }


class MembershipQuerySet(models.QuerySet["Membership"]):
    def owners(self) -> Self:
        return self.filter(role=Role.OWNER)

    def billing(self) -> Self:
        """Those who may decide about money."""
        return self.filter(role__in=[Role.OWNER, Role.BILLING])


class Membership(models.Model):
    """A person in an organization, with one role."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_unique"),
            # Sales and support owners of a connection point at (organization, id).
            models.UniqueConstraint(fields=["organization", "id"], name="membership_org_id"),
            models.CheckConstraint(
                condition=Q(role__in=["OWNER", "BILLING", "SUPPORT", "VIEWER"]),
                name="membership_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role_label} of {self.organization}"

    # Verbs

    @transaction.atomic
    def change_role(self, role: str, *, by: User) -> None:
        """Raises NotAllowed unless `by` is an owner, LastOwner if no owner would remain."""
        membership = self._lock_as_owner(by)
        if membership.role == role:
            return
        before = membership.role_label
        if membership.role == Role.OWNER:
            self._keep_an_owner()
        membership.role = self.role = role
        membership.save(update_fields=["role"])
        events.member_changed.record(
            membership,
            by=by,
            organization=membership.organization,
            member=membership.user.name,
            before=before,
            role=membership.role_label,
        )

    @transaction.atomic
    def end(self, *, by: User) -> None:
        """Remove the person from the organization. Raises NotAllowed, LastOwner."""
        membership = self._lock_as_owner(by)
        if membership.role == Role.OWNER:
            self._keep_an_owner()
        for connection in self._connections_owned():
            connection.release_owner(membership)
        events.member_left.record(
            membership,
            by=by,
            organization=membership.organization,
            member=membership.user.name,
            role=membership.role_label,
        )
        membership.delete()

    def _lock_as_owner(self, by: User) -> "Membership":
        organization = lock(self.organization)
        if not organization.memberships.owners().filter(user=by).exists():
            raise NotAllowed(f"Only an owner of {organization} changes its members.")
        return lock(self)

    def _keep_an_owner(self) -> None:
        # The organization is locked, so two owners cannot remove each other at once.
        if not self.organization.memberships.owners().exclude(pk=self.pk).exists():
            raise LastOwner(
                f"{self.user.name} is the last owner of {self.organization}. "
                "Make somebody else an owner first."
            )

    def _connections_owned(self) -> "models.QuerySet[Connection]":
        owned = Q(sales_owner=self) | Q(support_owner=self)
        return self.organization.provided.filter(owned)

    # Properties

    @property
    def role_label(self) -> str:
        return Role(self.role).label

    @property
    def may_manage(self) -> bool:
        """Members, settings, invitations."""
        return self.role == Role.OWNER

    @property
    def may_bill(self) -> bool:
        """Requests, decisions, plans, invoices, wallet, payouts, payment methods."""
        return self.role in (Role.OWNER, Role.BILLING)

    @property
    def may_support(self) -> bool:
        """Tickets."""
        return self.role in (Role.OWNER, Role.SUPPORT)
