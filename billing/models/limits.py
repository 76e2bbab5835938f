"""The platform's limits on prices, as data that staff can change."""

import pgtrigger
from django.db import models, transaction
from django.db.models import Q

from billing import events
from connections.models import Organization, User
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money


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
