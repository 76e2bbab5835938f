"""Plans and their versions: the recurring offers of a provider."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.db.models import Q

from billing import events
from billing.pricing import Interval
from connections.models import Organization, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .catalog import CatalogItem, NotOnSale
from .limits import within_limits


class Plan(CatalogItem):
    """What a provider offers on a recurring basis. Revampd's plans for Partners are tiers."""

    class Meta(CatalogItem.Meta):
        abstract = False

    @classmethod
    @transaction.atomic
    def launch(
        cls,
        *,
        provider: Organization,
        by: User,
        at: datetime,
        name: str,
        description: str,
        **terms: Any,
    ) -> "Plan":
        """Put a new plan on sale with its first version. Raises NameTaken."""
        plan = cls.offer(provider=provider, by=by, name=name, description=description)
        plan.publish(by=by, at=at, **terms)
        return plan

    @transaction.atomic
    def publish(self, *, by: User, at: datetime, **terms: Any) -> "PlanVersion":
        """A new version, which new offers of its interval use. Published, it never changes."""
        plan = lock(self)
        if plan.archived_at:
            raise NotOnSale(f"{plan.name} is off sale.")
        last = plan.versions.aggregate(last=models.Max("number"))["last"] or 0
        version = PlanVersion.objects.create(
            plan=plan, provider=plan.provider, number=last + 1, published_at=at, **terms
        )
        events.version_published.record(
            version,
            by=by,
            at=at,
            organization=plan.provider,
            name=plan.name,
            number=version.number,
            price=version.price,
        )
        return version


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def active(self) -> Self:
        return self.filter(retired_at__isnull=True, plan__archived_at__isnull=True)

    def newest(self) -> Self:
        """Of each plan and interval the newest active version: what new offers use."""
        return (
            self.active()
            .order_by("plan_id", "interval", "-number")
            .distinct("plan_id", "interval")
            .select_related("plan")
        )


class PlanVersion(models.Model):
    """The prices of a plan, in minor units. A subscriber keeps the version that it approved.

    `transaction_fee` (hundredths of a percent) and the limits belong to Revampd's tiers; a limit
    that is NULL on a tier is unlimited.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="versions", db_constraint=False
    )
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    interval = models.CharField(max_length=5, choices=Interval)
    currency = CurrencyField()
    base_price = MinorUnitsField()
    booking_fee = MinorUnitsField(default=0)
    transfer_fee = MinorUnitsField(default=0)
    transaction_fee = models.PositiveIntegerField(null=True, blank=True)
    max_sub_orgs = models.PositiveIntegerField(null=True, blank=True)
    max_campaigns = models.PositiveIntegerField(null=True, blank=True)
    max_workflows = models.PositiveIntegerField(null=True, blank=True)
    published_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    mutable = ("retired_at",)

    objects: ClassVar[Any] = PlanVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number"),
            models.UniqueConstraint(fields=["id", "provider"], name="plan_version_id_provider"),
            CompositeForeignKey(
                name="plan_version_of_provider",
                fields=["plan", "provider"],
                to="billing.Plan",
                to_fields=["id", "provider"],
            ),
            models.CheckConstraint(
                condition=Q(base_price__gte=0, booking_fee__gte=0, transfer_fee__gte=0),
                name="plan_version_prices",
            ),
            models.CheckConstraint(
                condition=Q(interval__in=["MONTH", "YEAR"]), name="plan_version_interval"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="immutable",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.retired_at IS NOT NULL OR to_jsonb(OLD) - 'retired_at'
                       IS DISTINCT FROM to_jsonb(NEW) - 'retired_at' THEN
                        RAISE EXCEPTION 'a published plan version never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            within_limits(
                "NEW.base_price <= limits.max_base_price"
                " AND NEW.booking_fee <= limits.max_usage_fee"
                " AND NEW.transfer_fee <= limits.max_usage_fee"
                " AND NEW.base_price + NEW.booking_fee + NEW.transfer_fee >= limits.min_plan_total",
                "the plan price is outside the platform limits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"

    # Verbs

    @transaction.atomic
    def retire(self, *, by: User, at: datetime) -> None:
        """Use it for no new offer. Its subscribers keep it. Raises NotOnSale."""
        version = lock(self)
        if version.retired_at:
            raise NotOnSale(f"Version {version.number} is retired already.")
        version.retired_at = self.retired_at = at
        version.save(update_fields=["retired_at"])
        events.version_retired.record(
            version,
            by=by,
            at=at,
            organization=self.provider,
            name=version.plan.name,
            number=version.number,
        )

    # Properties

    @property
    def is_on_sale(self) -> bool:
        return self.retired_at is None and self.plan.is_on_sale

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def description(self) -> str:
        return self.plan.description

    @property
    def price(self) -> Money:
        return Money(self.base_price, self.currency)

    @property
    def unit_price(self) -> int:
        return int(self.base_price)

    @property
    def booking_price(self) -> Money:
        return Money(self.booking_fee, self.currency)

    @property
    def transfer_price(self) -> Money:
        return Money(self.transfer_fee, self.currency)

    @property
    def interval_label(self) -> str:
        return Interval(self.interval).label
