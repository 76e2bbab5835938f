"""What a provider offers: plans with immutable versions, add-ons, one-time charges."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from billing import events
from billing.pricing import Interval
from connections.models import Organization, User
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money


class NameTaken(Invalid):
    """The provider offers something else of this name."""


class NotOnSale(Conflict):
    """The item was archived, or its version retired."""


class PriceLimits(models.Model):
    """The platform's limits on what a Partner may charge, one row a currency (minor units).

    Product rules, "Catalog". Staff change them; forms explain them and triggers enforce them.
    """

    currency = CurrencyField(primary_key=True)
    max_base_price = MinorUnitsField(default=100_000, help_text="Of a plan, an interval")
    max_usage_fee = MinorUnitsField(default=50_000, help_text="A booking or transfer")
    min_plan_total = MinorUnitsField(default=4_500, help_text="Base price plus both fees")
    max_add_on = MinorUnitsField(default=100_000, help_text="A month")
    max_one_time = MinorUnitsField(default=100_000)

    class Meta:
        verbose_name_plural = "price limits"
        constraints = [
            models.CheckConstraint(
                condition=Q(max_base_price__gt=0, max_usage_fee__gte=0, min_plan_total__gte=0)
                & Q(max_add_on__gt=0, max_one_time__gt=0),
                name="price_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"Price limits in {self.currency}"

    @classmethod
    def of(cls, currency: str) -> "PriceLimits":
        """The limits in force for `currency`; the defaults where staff set none."""
        return cls.objects.filter(pk=currency).first() or cls(currency=currency)

    @transaction.atomic
    def change(self, *, by: User, **limits: int) -> None:
        """Change what may be charged from now on, in minor units. What is on sale stays so."""
        if not limits:
            return
        current = lock(self)
        before = {name: current.money(name) for name in limits}
        for name, minor in limits.items():
            setattr(self, name, minor)
        self.save(update_fields=list(limits))
        events.limits_changed.record(
            self,
            by=by,
            organization=Organization.objects.platform(),
            before=before,
            after={name: self.money(name) for name in limits},
        )

    def money(self, name: str) -> Money:
        return Money(getattr(self, name), self.currency)


def within_limits(rule: str, sentence: str) -> pgtrigger.Trigger:
    """A trigger that refuses a Partner's price outside the limits of its currency.

    `rule` is the SQL condition that must hold, over NEW and `limits`. A currency without limits
    is refused as well. Revampd's own prices are not limited. A price that was within the limits
    when it was set stays: what is beyond lowered limits can still be renamed or archived.
    """
    return pgtrigger.Trigger(
        name="within_limits",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[
            ("limits", "billing_pricelimits%ROWTYPE"),
            ("unpriced", "text[] := ARRAY['name', 'description', 'archived_at', 'retired_at']"),
        ],
        func=f"""
            IF TG_OP = 'UPDATE' THEN
                IF to_jsonb(OLD) - unpriced = to_jsonb(NEW) - unpriced THEN
                    RETURN NEW;
                END IF;
            END IF;
            IF EXISTS (SELECT 1 FROM connections_organization
                       WHERE id = NEW.provider_id AND kind = 'PARTNER') THEN
                SELECT * INTO limits FROM billing_pricelimits WHERE currency = NEW.currency;
                IF NOT FOUND OR NOT ({rule}) THEN
                    RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation';
                END IF;
            END IF;
            RETURN NEW;
        """,  # noqa: S608 - made of constants
    )


class OnSaleQuerySet(models.QuerySet[Any]):
    def on_sale(self) -> Self:
        return self.filter(archived_at__isnull=True)


class CatalogItem(models.Model):
    """Something that a provider offers under a name; archived ones are offered no more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="%(class)ss")
    name = models.CharField(max_length=80)
    description = models.TextField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = OnSaleQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["id", "provider"], name="%(class)s_id_provider"),
            models.UniqueConstraint(
                "provider",
                Lower("name"),
                condition=Q(archived_at__isnull=True),
                name="%(class)s_name_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # Factories

    @classmethod
    @transaction.atomic
    def offer(
        cls,
        *,
        provider: Organization,
        by: User,
        name: str,
        at: datetime | None = None,
        **details: Any,
    ) -> Self:
        """Put something new on sale. Raises NameTaken."""
        cls._guard_name(provider, name)
        item = cls(provider=provider, name=name, created_at=at or timezone.now(), **details)
        item.save(force_insert=True)
        events.item_offered.record(
            item, by=by, at=at, organization=provider, kind=item._meta.verbose_name, name=name
        )
        return item

    @classmethod
    def _guard_name(cls, provider: Organization, name: str, but: Any = None) -> None:
        # One writer a provider at a time, so that the unique key never has to say no.
        lock(provider)
        same = cls.objects.on_sale().filter(provider=provider, name__iexact=name)
        if same.exclude(pk=but).exists():
            raise NameTaken(
                f"You offer a {cls._meta.verbose_name} named {name} already.", field="name"
            )

    # Verbs

    @transaction.atomic
    def change(self, *, by: User, **details: Any) -> None:
        """Change what is offered from now on; what was approved keeps its price."""
        if details.get("name"):
            self._guard_name(self.provider, details["name"], but=self.pk)
        item = lock(self)
        before = {k: getattr(item, k) for k, v in details.items() if getattr(item, k) != v}
        if not before:
            return
        for field in before:
            setattr(item, field, details[field])
            setattr(self, field, details[field])
        item.save(update_fields=list(before))
        after = {field: details[field] for field in before}
        events.item_changed.record(
            item, by=by, organization=self.provider, name=item.name, before=before, after=after
        )

    @transaction.atomic
    def archive(self, *, by: User, at: datetime) -> None:
        """Take it off sale. What customers have approved goes on. Raises NotOnSale."""
        item = lock(self)
        if item.archived_at:
            raise NotOnSale(f"{item.name} is off sale already.")
        item.archived_at = self.archived_at = at
        item.save(update_fields=["archived_at"])
        events.item_archived.record(item, by=by, at=at, organization=self.provider, name=item.name)

    # Properties

    @property
    def is_on_sale(self) -> bool:
        return self.archived_at is None


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


class AddOn(CatalogItem):
    """An optional recurring extra with its own price a month, in minor units, and a quantity."""

    currency = CurrencyField()
    unit_price = MinorUnitsField()

    class Meta(CatalogItem.Meta):
        abstract = False
        verbose_name = "add-on"
        constraints = [
            *CatalogItem.Meta.constraints,
            models.CheckConstraint(condition=Q(unit_price__gt=0), name="add_on_price"),
        ]
        triggers = [
            within_limits(
                "NEW.unit_price <= limits.max_add_on",
                "the add-on price is outside the platform limits",
            ),
        ]

    @property
    def price(self) -> Money:
        return Money(self.unit_price, self.currency)


class OneTimeCharge(CatalogItem):
    """A single, non-recurring fee, in minor units."""

    currency = CurrencyField()
    unit_price = MinorUnitsField()

    class Meta(CatalogItem.Meta):
        abstract = False
        verbose_name = "one-time charge"
        constraints = [
            *CatalogItem.Meta.constraints,
            models.CheckConstraint(condition=Q(unit_price__gt=0), name="one_time_charge_price"),
        ]
        triggers = [
            within_limits(
                "NEW.unit_price <= limits.max_one_time",
                "the one-time price is outside the platform limits",
            ),
        ]

    @property
    def price(self) -> Money:
        return Money(self.unit_price, self.currency)
