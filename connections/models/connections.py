"""The relationship of a provider, who bills, and a customer, who is billed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models, transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils import timezone

from connections import events
from connections.kinds import EventKind
from revampd.kit import clock
from revampd.kit.constraints import CompositeForeignKey
from revampd.kit.errors import Invalid
from revampd.kit.ids import growing_id
from revampd.kit.keys import among
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField
from revampd.kit.search import any_of

from .memberships import Membership
from .organizations import Organization
from .people import User

# Somewhere it is tomorrow already: time zones reach 14 hours ahead of UTC.
FARTHEST_EAST = timedelta(hours=14)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def of(self, user: User) -> Self:
        """The connections that `user` may see: as a member of the provider or the customer."""
        mine = Membership.objects.filter(user=user).values("organization")
        return self.filter(Q(provider__in=mine) | Q(customer__in=mine))

    def of_organization(self, organization: Organization) -> Self:
        """Where it sells and where it buys."""
        return self.filter(Q(provider=organization) | Q(customer=organization))

    def found(self, mine: Any, *, words: Any = None, pk: Any = None) -> Self:
        """Those of the organizations `mine` whose other side has such a name, or with this id."""
        if words is None and pk is None:
            return self.none()
        sold, bought = Q(among("provider", mine)), Q(among("customer", mine))
        named = Organization.objects.named(words).values("pk")
        # Each has an index of its own, which one condition over all of them would not use.
        sold_to = self.filter(sold, customer__in=named).values("pk")
        bought_from = self.filter(bought, provider__in=named).values("pk")
        itself = self.filter(sold | bought, any_of(pk=pk)).values("pk")
        # An array is made once, however the rest is joined to it: statistics that are out of date
        # would have it made anew for each row, and its parts for each of theirs.
        return self.filter(among("pk", ArraySubquery(sold_to.union(bought_from, itself))))

    def active(self) -> Self:
        return self.filter(state=Connection.State.ACTIVE)

    def taking_seats(self, at: datetime | None = None) -> Self:
        """Those that count against the number of Sub-Orgs that a tier allows.

        Who is invited counts while the link works; withdrawn or expired, it gives its seat back.
        """
        # Invitations point at connections, so they find their table by name.
        links = apps.get_model("connections.Invitation").objects.open(at or clock.now())
        is_awaited = Exists(links.filter(connection=OuterRef("pk")))
        invited = Q(state=Connection.State.INVITED)
        return self.exclude(state=Connection.State.ENDED).filter(~invited | is_awaited)

    def furthest_ahead(self) -> timedelta:
        """How far the furthest of their clocks is ahead; outside a demo none is."""
        furthest: timedelta | None = self.aggregate(furthest=Max("ahead"))["furthest"]
        return furthest or timedelta(0)

    def latest_day(self, at: datetime) -> date:
        """No connection's own day is later than this at the real time `at`."""
        ahead = self.furthest_ahead() if settings.IS_DEMO else timedelta(0)
        return (at.astimezone(UTC) + ahead + FARTHEST_EAST).date()


class Connection(models.Model):
    """Everything financial belongs to exactly one connection, and hangs on it by foreign key."""

    class State(models.TextChoices):
        INVITED = "INVITED", "Invited"
        ACTIVE = "ACTIVE", "Active"
        SUSPENDED = "SUSPENDED", "Suspended"
        ENDED = "ENDED", "Ended"

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="provided", db_constraint=False
    )
    provider_kind = models.CharField(max_length=10, choices=Organization.Kind, editable=False)
    customer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="bought", db_constraint=False
    )
    customer_kind = models.CharField(max_length=10, choices=Organization.Kind, editable=False)
    currency = CurrencyField(editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.INVITED, editable=False)
    sales_owner = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    support_owner = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    active_since = models.DateTimeField(null=True, editable=False)
    # How far a demo has moved its clock; zero everywhere else.
    ahead = models.DurationField(default=timedelta(0), editable=False)

    objects: ClassVar[Any] = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "customer"], name="connection_unique"),
            models.UniqueConstraint(fields=["id", "provider"], name="connection_id_provider"),
            models.UniqueConstraint(fields=["id", "customer"], name="connection_id_customer"),
            models.CheckConstraint(
                condition=~Q(provider=F("customer")), name="connection_two_parties"
            ),
            models.CheckConstraint(
                condition=Q(provider_kind="PLATFORM", customer_kind__in=["PARTNER", "SUB_ORG"])
                | Q(provider_kind="PARTNER", customer_kind="SUB_ORG"),
                name="connection_kinds",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["INVITED", "ACTIVE", "SUSPENDED", "ENDED"]),
                name="connection_state",
            ),
            models.CheckConstraint(
                condition=Q(ahead__gte=timedelta(0)), name="connection_not_behind"
            ),
            CompositeForeignKey(
                name="connection_provider_of_kind",
                fields=["provider", "provider_kind"],
                to="connections.Organization",
                to_fields=["id", "kind"],
            ),
            CompositeForeignKey(
                name="connection_customer_of_kind",
                fields=["customer", "customer_kind"],
                to="connections.Organization",
                to_fields=["id", "kind"],
            ),
            CompositeForeignKey(
                name="connection_sales_owner_of_provider",
                fields=["provider", "sales_owner"],
                to="connections.Membership",
                to_fields=["organization", "id"],
            ),
            CompositeForeignKey(
                name="connection_support_owner_of_provider",
                fields=["provider", "support_owner"],
                to="connections.Membership",
                to_fields=["organization", "id"],
            ),
        ]
        indexes = [
            models.Index(fields=["customer"], name="connection_customer"),
            # A list of customers is read in this order, page by page.
            models.Index(
                fields=["provider", "customer_kind", "-created_at", "id"],
                name="connection_newest",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="never_back",
                operation=pgtrigger.UpdateOf("ahead"),
                condition=pgtrigger.Q(new__ahead__lt=pgtrigger.F("old__ahead")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} → {self.customer}"

    # Factories

    @classmethod
    def open(
        cls,
        *,
        provider: Organization,
        customer: Organization,
        by: User | None,
        at: datetime | None = None,
        **details: Any,
    ) -> "Connection":
        """Connect two organizations; invited until the customer's first owner accepts.

        Its clock starts where the one of whoever opens it stands.
        """
        connection = cls.objects.create(
            provider=provider,
            provider_kind=provider.kind,
            customer=customer,
            customer_kind=customer.kind,
            created_at=at or clock.now(),
            ahead=clock.ahead(),
            **details,
        )
        events.connection_opened.record(
            connection, by=by, at=at, organization=provider, connection=connection
        )
        return connection

    @classmethod
    def with_new_customer(
        cls, *, provider: Organization, name: str, by: User, at: datetime
    ) -> "Connection":
        """Found a customer of `provider` and connect the two. The caller holds the provider's lock.

        A Partner's Sub-Org is connected with Revampd as well.
        """
        kind = Organization.Kind.PARTNER if provider.is_platform else Organization.Kind.SUB_ORG
        customer = Organization.found(
            kind=kind, name=name, by=by, at=at, time_zone=provider.time_zone
        )
        connection = cls.open(provider=provider, customer=customer, by=by, at=at)
        if not provider.is_platform:
            cls.open(provider=Organization.objects.platform(), customer=customer, by=by, at=at)
        return connection

    # Verbs

    def activate(self, *, by: User | None, at: datetime) -> None:
        """The customer has accepted. Doing it again changes nothing."""
        invited = type(self).objects.filter(pk=self.pk, state=self.State.INVITED)
        if not invited.update(state=self.State.ACTIVE, active_since=at):
            return
        self.state, self.active_since = self.State.ACTIVE, at
        events.connection_activated.record(
            self,
            by=by,
            at=at,
            organization=self.customer,
            connection=self,
            customer=self.customer.name,
            provider=self.provider.name,
        )

    def suspend(self, *, at: datetime, **facts: Any) -> None:
        """Nothing new is sold on it until what is overdue is paid. Others stay as they are."""
        self._switch(
            self.State.ACTIVE, self.State.SUSPENDED, events.connection_suspended, at, facts
        )

    def resume(self, *, at: datetime) -> None:
        """What was overdue is paid. Doing it to one that is not suspended changes nothing."""
        self._switch(self.State.SUSPENDED, self.State.ACTIVE, events.connection_resumed, at, {})

    def _switch(
        self, before: str, after: str, kind: EventKind, at: datetime, facts: dict[str, Any]
    ) -> None:
        if not type(self).objects.filter(pk=self.pk, state=before).update(state=after):
            return
        self.state = after
        kind.record(
            self,
            by=None,
            at=at,
            organization=self.customer,
            connection=self,
            customer=self.customer.name,
            provider=self.provider.name,
            **facts,
        )

    @transaction.atomic
    def assign_owners(
        self,
        *,
        sales: Membership | None,
        support: Membership | None,
        by: User,
        at: datetime | None = None,
    ) -> None:
        """Name who looks after the customer. Raises Invalid for who is no member of the provider.

        The members are locked before the connection, as when a membership ends.
        """
        for member in sorted(filter(None, {sales, support}), key=lambda member: member.pk):
            self._hold(member)
        connection = lock(self)
        if (connection.sales_owner, connection.support_owner) == (sales, support):
            return
        connection._set_owners(sales, support, by=by, at=at)
        self.sales_owner, self.support_owner = sales, support

    def _hold(self, member: Membership) -> None:
        held = Membership.objects.select_for_update(no_key=True)
        if not held.filter(pk=member.pk, organization=self.provider_id).exists():
            raise Invalid(f"{member.user} is not a member of {self.provider}.")

    def release_owner(self, member: Membership, *, by: User, at: datetime | None = None) -> None:
        """Take a leaving member off the connection."""
        connection = lock(self)
        sales, support = (
            None if owner == member else owner
            for owner in (connection.sales_owner, connection.support_owner)
        )
        connection._set_owners(sales, support, by=by, at=at)

    def _set_owners(
        self,
        sales: Membership | None,
        support: Membership | None,
        *,
        by: User,
        at: datetime | None,
    ) -> None:
        self.sales_owner, self.support_owner = sales, support
        self.save(update_fields=["sales_owner", "support_owner"])
        events.connection_assigned.record(
            self,
            by=by,
            at=at,
            organization=self.provider,
            connection=self,
            sales=sales.user.name if sales else "nobody",
            support=support.user.name if support else "nobody",
        )

    def advance(self, to: date, *, now: datetime) -> None:
        """Move its clock to the day `to`, at the hour that it is there at the real time `now`.

        A clock that is further already stays where it is.
        """
        there = now.astimezone(self.provider.zone)
        then = datetime.combine(to, there.timetz())
        ahead = then.astimezone(UTC) - now.astimezone(UTC)
        behind = type(self).objects.filter(pk=self.pk, ahead__lt=ahead)
        if behind.update(ahead=ahead):
            self.ahead = ahead

    # Properties

    def own_time(self, now: datetime) -> datetime:
        """What its own clock shows at the real time `now`."""
        # In UTC, because adding to a local time counts by its wall clock.
        return now.astimezone(UTC) + self.ahead

    def day_of(self, at: datetime) -> date:
        """The calendar day of an instant where the provider does business."""
        return at.astimezone(self.provider.zone).date()

    @property
    def today(self) -> date:
        """The day that it is where the provider is, on its own clock."""
        return self.day_of(self.own_time(timezone.now()))

    @property
    def tone(self) -> str:
        """How its state is coloured: a tone of the badge."""
        tones = {self.State.INVITED: "warn", self.State.ACTIVE: "good", self.State.SUSPENDED: "bad"}
        return tones.get(self.State(self.state), "plain")

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def is_self_service(self) -> bool:
        """Whether the customer chooses by itself what it has: with Revampd, not with a Partner."""
        return self.provider_kind == Organization.Kind.PLATFORM

    @property
    def is_managed(self) -> bool:
        """Whether this is a Sub-Org's connection with Revampd, to which its Partner has the plan.

        Its add-ons run without a plan.
        """
        return self.is_self_service and self.customer_kind == Organization.Kind.SUB_ORG

    @property
    def kinds(self) -> tuple[str, str]:
        """Of which kind provider and customer are."""
        return self.provider_kind, self.customer_kind

    @property
    def sells_tiers(self) -> bool:
        """Whether this is Revampd's own connection with a Partner."""
        return self.is_self_service and self.customer_kind == Organization.Kind.PARTNER
