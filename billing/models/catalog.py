"""What a provider has on sale under a name: what all of it shares, add-ons, one-time charges."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from billing import events
from connections.models import Organization, User
from revampd.kit import clock
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .limits import within_limits


class NameTaken(Invalid):
    """The provider offers something else of this name."""


class NotOnSale(Conflict):
    """The item was archived, or its version retired."""


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
        item = cls(provider=provider, name=name, created_at=at or clock.now(), **details)
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
                f"One of your {cls._meta.verbose_name_plural} is named {name} already.",
                field="name",
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
