"""Members: persons in organizations, with one role each."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from connections import events
from revampd.kit.errors import Conflict
from revampd.kit.keys import among
from revampd.kit.locking import lock
from revampd.kit.prepared import prepared
from revampd.kit.search import having, vector

from .people import CALLED, User

if TYPE_CHECKING:
    from .connections import Connection


class LastOwner(Conflict):
    """An organization must keep an owner."""


class NoMember(Conflict):
    """The membership has ended meanwhile."""


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


NAMED = vector("user__name")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def owners(self) -> Self:
        return self.filter(role=Role.OWNER)

    def billing(self) -> Self:
        """Those who may decide about money."""
        return self.filter(role__in=[Role.OWNER, Role.BILLING])

    def supporting(self) -> Self:
        """Those who may write in tickets."""
        return self.filter(role__in=[Role.OWNER, Role.SUPPORT])

    def found(self, mine: Any, *, words: Any = None) -> Self:
        """Those whom members of `mine` may know, with such a name or such an e-mail address.

        A person knows the members of their own organizations and of those that they sell to, whom
        they invited. Of those that they buy from they know who looks after them, by name alone, as
        the overview of a connection says: who else works there is not theirs to find out, and
        neither is whether an address belongs there.
        """
        if words is None:
            return self.none()
        # An array is made once, however the rest is joined to it.
        called = ArraySubquery(having(User.objects.all(), CALLED, words).values("pk"))
        rows = self.filter(among("user", called, "bigint"))
        colleagues = rows.filter(among("organization", mine))
        # Connections point at memberships, so they find their table by name.
        connections = apps.get_model("connections.Connection").objects
        sold, bought = (connections.filter(among(side, mine)) for side in ("provider", "customer"))
        customers = rows.filter(organization__in=sold.values("customer"))
        contacts = rows.filter(
            Q(pk__in=bought.values("sales_owner")) | Q(pk__in=bought.values("support_owner"))
        )
        parts = (colleagues, customers, having(contacts, NAMED, words))
        ids = [part.values("pk") for part in parts]
        return self.filter(pk__in=ids[0].union(*ids[1:]))


class Membership(models.Model):
    """A person in an organization, with one role."""

    organization = models.ForeignKey(
        "connections.Organization", on_delete=models.PROTECT, related_name="memberships"
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
        """Give another role. Raises NotAllowed, and LastOwner if no owner would remain."""
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
        for connection in membership.connections_owned().order_by("id"):
            connection.release_owner(membership, by=by)
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
        organization.require_owner(by, "changes its members")
        try:
            return lock(self)
        except Membership.DoesNotExist:
            raise NoMember(f"{self.user} no longer belongs to {organization}.") from None

    def _keep_an_owner(self) -> None:
        # The organization is locked, so two owners cannot remove each other at once.
        if not self.organization.memberships.owners().exclude(pk=self.pk).exists():
            raise LastOwner(
                f"{self.user.name} is the last owner of {self.organization}. "
                "Make somebody else an owner first."
            )

    # Queries

    def connections_owned(self) -> "models.QuerySet[Connection]":
        """The connections that name this member as sales or support owner."""
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

    @property
    def may_resend(self) -> bool:
        """Mail that did not arrive: of their own work, or of everything. See `Delivery`."""
        return self.may_bill or self.may_support


@prepared
def members_by_name(organization: Any) -> "models.QuerySet[Membership]":
    members = Membership.objects.filter(organization=organization).select_related("user")
    by_name: models.QuerySet[Membership] = members.order_by("user__name", "id")
    return by_name
