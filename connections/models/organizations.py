"""Organizations: the platform, its Partners and their Sub-Orgs."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from connections import events
from revampd.kit import clock
from revampd.kit.errors import NotAllowed
from revampd.kit.locking import lock
from revampd.kit.search import having, vector

from .memberships import Membership
from .people import User, validate_time_zone

NAME = vector("name")


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def named(self, beginnings: Any) -> Self:
        """Those in whose name these `beginnings` of words are."""
        return having(self, NAME, beginnings)

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
        indexes = [GinIndex(NAME, name="organization_words")]

    def __str__(self) -> str:
        return self.name

    # Factories

    @classmethod
    @transaction.atomic
    def found(
        cls, *, kind: str, name: str, by: User | None, at: datetime | None = None, **details: Any
    ) -> "Organization":
        """A new organization, invited until its first owner accepts. The platform is active."""
        is_platform = kind == cls.Kind.PLATFORM
        if not is_platform:
            # Foundings wait for each other, so that no two of them take the same slug.
            lock(cls.objects.platform())
        organization = cls.objects.create(
            kind=kind,
            name=name,
            slug=cls._free_slug(name),
            state=cls.State.ACTIVE if is_platform else cls.State.INVITED,
            created_at=at or clock.now(),
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
        """Change name, address and the like; the event keeps what stood there before.

        Raises NotAllowed unless `by` is an owner or staff.
        """
        organization = lock(self)
        organization.require_owner(by, "changes its details")
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
            defaults={"role": role, "joined_at": at or clock.now()},
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

    def require_owner(self, user: User, act: str) -> None:
        """Raises NotAllowed unless `user` is an owner, or staff, who act through the admin."""
        if not (user.is_staff or self.memberships.owners().filter(user=user).exists()):
            raise NotAllowed(f"Only an owner of {self} {act}.")

    def require_biller(self, user: User, *, or_staff: bool = False) -> None:
        """Raises NotAllowed unless `user` is an owner or billing member, or staff if they may."""
        may = or_staff and user.is_staff
        if not (may or self.memberships.billing().filter(user=user).exists()):
            raise NotAllowed(f"Only an owner or billing member of {self} can do this.")

    def require_supporter(self, user: User) -> None:
        """Raises NotAllowed unless `user` may answer tickets: the platform's staff may, too."""
        may = self.is_platform and user.is_staff
        if not (may or self.memberships.supporting().filter(user=user).exists()):
            raise NotAllowed(f"Only an owner or support member of {self} can do this.")

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

    PARTY_FIELDS = ("name", "legal_name", "address", "billing_email", "tax_number")

    @staticmethod
    def party(
        name: str, legal_name: str, address: str, billing_email: str, tax_number: str
    ) -> dict[str, str]:
        """The values of PARTY_FIELDS as an invoice freezes them."""
        return {
            "name": legal_name or name,
            "address": address,
            "email": billing_email,
            "tax_number": tax_number,
        }

    @property
    def party_details(self) -> dict[str, str]:
        """Name and address as an invoice freezes them."""
        return self.party(*(getattr(self, field) for field in self.PARTY_FIELDS))
