"""Tiers: Revampd's plans for Partners, their limits, and how much of these a Partner uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from billing import events, pricing
from billing.pricing import ItemKind, Running
from connections.models import Connection, Organization
from revampd.kit import clock
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

from .items import SubscriptionItem
from .plans import PlanVersion
from .sub_org_imports import SubOrgImport


class BelowUse(Conflict):
    """The tier allows less than the Partner uses."""


class TierUse(models.Model):
    """What a Partner runs on the platform, as the platform last reported it.

    Sub-Orgs are not here: they are counted.
    """

    connection = models.OneToOneField(
        Connection, on_delete=models.PROTECT, primary_key=True, related_name="tier_use"
    )
    campaigns = models.PositiveIntegerField(default=0)
    workflows = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        verbose_name_plural = "tier use"

    def __str__(self) -> str:
        return f"Use of {self.connection}"

    @classmethod
    @transaction.atomic
    def report(
        cls, *, connection: Connection, campaigns: int, workflows: int, at: datetime
    ) -> "TierUse":
        """Keep the platform's newest figures; an older report than the last changes nothing.

        Raises Invalid for figures below zero, or for a connection that has no tier.
        """
        if min(campaigns, workflows) < 0:
            raise Invalid("Enter numbers of 0 or more.")
        if not connection.sells_tiers:
            raise Invalid(f"{connection} has no tier.")
        figures = {"campaigns": campaigns, "workflows": workflows, "reported_at": at}
        rows = cls.objects.select_for_update()
        known: TierUse
        known, is_new = rows.get_or_create(connection=connection, defaults=figures)
        if not is_new and known.reported_at <= at:
            for name, value in figures.items():
                setattr(known, name, value)
            known.save(update_fields=list(figures))
        return known


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit of a tier and how much of it is used; without `limit` it is unlimited."""

    noun: str
    used: int
    limit: int | None

    @property
    def label(self) -> str:
        """ "Sub-Orgs", "Campaigns"."""
        return f"{self.noun[0].upper()}{self.noun[1:]}s"

    @property
    def is_exceeded(self) -> bool:
        return self.limit is not None and self.used > self.limit

    @property
    def left(self) -> int | None:
        """How many more there may be; None if unlimited."""
        return None if self.limit is None else max(self.limit - self.used, 0)

    @property
    def counted(self) -> str:
        """ "1 Sub-Org", "12 Sub-Orgs"."""
        return f"1 {self.noun}" if self.used == 1 else f"{self.used:,} {self.noun}s"


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a tier's limits a Partner uses."""

    sub_orgs: int = 0
    campaigns: int = 0
    workflows: int = 0

    @classmethod
    def of(cls, connection: Connection) -> "Use":
        """What the customer of this connection with Revampd uses now."""
        return cls.of_each([connection.pk])[connection.pk]

    @classmethod
    def of_each(cls, connection_ids: Iterable[UUID]) -> "dict[UUID, Use]":
        """The same for several connections in one query.

        Sub-Orgs that an import has still to invite have their seats already.
        """
        rows = _figures(array_of(connection_ids), clock.now())
        return {key: cls(*(figure or 0 for figure in figures)) for key, *figures in rows}

    def of_tier(self, tier: PlanVersion) -> list[Allowance]:
        """The limits of `tier`, in the order of its page."""
        return [
            Allowance("Sub-Org", self.sub_orgs, tier.max_sub_orgs),
            Allowance("campaign", self.campaigns, tier.max_campaigns),
            Allowance("workflow", self.workflows, tier.max_workflows),
        ]

    def excess(self, tier: PlanVersion) -> str:
        """What `tier` is too small for: "12 Sub-Orgs, Starter allows 10"; "" if it fits."""
        exceeded = [one for one in self.of_tier(tier) if one.is_exceeded]
        return "; ".join(f"{one.counted}, {tier.name} allows {one.limit:,}" for one in exceeded)

    def require_room(self, tier: PlanVersion) -> None:
        """Raises BelowUse."""
        if excess := self.excess(tier):
            raise BelowUse(f"{excess}.", next_step="Choose a larger tier, or make room first.")


@prepared
def _figures(keys: Any, at: Any) -> models.QuerySet[Connection, Any]:
    counted = Connection.objects.taking_seats(at).filter(provider=models.OuterRef("customer"))
    sub_orgs = counted.order_by().values("provider").values(n=models.Count("*"))
    imports = SubOrgImport.objects.filter(partner=models.OuterRef("customer"))
    rows = Connection.objects.filter(among("pk", keys)).annotate(
        sub_orgs=Coalesce(models.Subquery(sub_orgs), 0) + imports.reserved_of_each(),
        campaigns=F("tier_use__campaigns"),
        workflows=F("tier_use__workflows"),
    )
    figures: models.QuerySet[Connection, Any] = rows.values_list(
        "pk", "sub_orgs", "campaigns", "workflows"
    )
    return figures


def tier_of(partner: Organization, on: date) -> PlanVersion | None:
    """The tier that runs for a Partner on the day `on`."""
    running = SubscriptionItem.objects.on(on).filter(
        kind=ItemKind.PLAN,
        connection__customer=partner,
        connection__provider_kind=Organization.Kind.PLATFORM,
    )
    row = running.select_related("request__plan_version__plan").first()
    return row.request.plan_version if row else None


def hold_back(until: Mapping[UUID, date], at: Mapping[UUID, datetime]) -> None:
    """Where a smaller tier begins by the day `until` and use has grown beyond it, the old goes on.

    The keys are connections with Partners, whose locks the caller holds; `at` is their own time.
    Nothing of that tier was billed yet.
    """
    coming = _coming(until)
    uses = Use.of_each(coming) if coming else {}
    for key, item in coming.items():
        tier = item.request.plan_version
        if tier and (excess := uses[key].excess(tier)):
            _hold(item, excess, at[key])


def _coming(until: Mapping[UUID, date]) -> dict[UUID, SubscriptionItem]:
    """The tier of each connection that replaces another one by its day."""
    begins = SubscriptionItem.objects.filter(
        among("connection", until),
        Q(end_date=None) | Q(end_date__gt=F("start_date")),
        subscription__end_date=None,
        kind=ItemKind.PLAN,
        billed_to=F("start_date"),
        start_date__lte=max(until.values()),
        start_date__gt=F("subscription__start_date"),
    )
    rows = begins.select_related(
        "subscription__connection__customer", "request__plan_version__plan"
    )
    first = {row.connection_id: row for row in rows.order_by("-start_date")}
    return {key: row for key, row in first.items() if row.start_date <= until[key]}


def _hold(item: SubscriptionItem, excess: str, at: datetime) -> None:
    subscription = item.subscription
    eve = item.start_date - timedelta(days=1)
    running = subscription.running
    plan, kept = running.plan_on(eve), pricing.keep(running, eve)
    if plan is None or kept is None:
        return
    subscription.alter(kept)
    events.tier_held.record(
        subscription,
        by=None,
        at=at,
        organization=subscription.connection.customer,
        connection=subscription.connection,
        item=plan.name,
        next=item.name,
        day=item.start_date,
        excess=excess,
    )


def without_outgrown(
    connection: Connection, running: Running, rows: Iterable[SubscriptionItem]
) -> Running:
    """What the run will find, as use stands: the old tier, if the next one is too small for it.

    `rows` are the items of `running`, with their requests.
    """
    day, coming = running.next_invoice, running.plan
    if day is None or coming is None or not day == coming.start == coming.billed_to:
        return running
    kept = pricing.keep(running, day - timedelta(days=1))
    tier = next(row.request.plan_version for row in rows if row.pk == coming.key)
    if kept is None or tier is None or not Use.of(connection).excess(tier):
        return running
    return kept.applied(running)
