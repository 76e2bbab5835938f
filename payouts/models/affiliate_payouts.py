"""Affiliate payouts: what the referrals of one closed period earned. All in minor units."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models, transaction
from django.db.models import F, Func, Q
from django.utils.formats import date_format

from billing.models import Credit
from billing.pricing import span
from connections.models import Connection
from payouts.affiliates import events
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money


class NotPending(Conflict):
    """The affiliate payout is in the wallet already, or comes to nothing."""


class AffiliatePayoutQuerySet(models.QuerySet["AffiliatePayout"]):
    def pending(self) -> Self:
        return self.filter(state=AffiliatePayout.State.PENDING)

    def newest_first(self) -> Self:
        return self.order_by("-period_start")


class AffiliatePayout(models.Model):
    """What an organization earned in one period by others, on its connection with Revampd.

    `earned` is the sum of its shares, kept by their trigger; `carried` is what the one before,
    `carries`, came to below zero, or 0. What it comes to becomes a credit in the wallet of that
    connection, once. One that comes to nothing or less is carried into the next.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Being closed"
        PENDING = "PENDING", "Pending"
        APPLIED = "APPLIED", "Applied"
        CARRIED = "CARRIED", "Carried over"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="affiliate_payouts", db_index=False
    )
    currency = CurrencyField()
    period_start = models.DateField()
    period_end = models.DateField()
    closed_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    earned = MinorUnitsField(default=0)
    carries = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="carried_into",
        db_constraint=False,
    )
    carried = MinorUnitsField(default=0)
    amount = models.GeneratedField(
        expression=F("earned") + F("carried"), output_field=MinorUnitsField(), db_persist=True
    )
    credit = models.OneToOneField(
        Credit,
        on_delete=models.PROTECT,
        null=True,
        related_name="affiliate_payout",
        db_constraint=False,
    )
    applied_at = models.DateTimeField(null=True)

    mutable = ("state", "earned", "credit", "applied_at")

    objects: ClassVar[Any] = AffiliatePayoutQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "id"], name="affiliate_payout_connection_id"
            ),
            models.UniqueConstraint(
                fields=["connection", "period_start"], name="affiliate_payout_once_a_period"
            ),
            ExclusionConstraint(
                name="affiliate_payout_periods_apart",
                expressions=[
                    ("connection", RangeOperators.EQUAL),
                    (
                        Func(F("period_start"), F("period_end"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            CompositeForeignKey(
                name="affiliate_payout_carries_own",
                fields=["connection", "carries"],
                to="payouts.AffiliatePayout",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="affiliate_payout_to_own_wallet",
                fields=["connection", "credit"],
                to="billing.Credit",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="affiliate_payout_period"
            ),
            models.CheckConstraint(
                condition=Q(carries=None, carried=0) | Q(carries__isnull=False, carried__lt=0),
                name="affiliate_payout_carried",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", credit=None, applied_at=None)
                | Q(state="CARRIED", amount__lte=0, credit=None, applied_at=None)
                | Q(state="PENDING", amount__gt=0, credit=None, applied_at=None)
                | Q(state="APPLIED", amount__gt=0)
                & Q(credit__isnull=False, applied_at__isnull=False),
                name="affiliate_payout_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["closed_at"], condition=Q(state="PENDING"), name="affiliate_payout_pending"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="begun",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.state <> 'OPEN' OR NEW.earned <> 0 THEN
                        RAISE EXCEPTION 'an affiliate payout begins empty'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.carries_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payouts_affiliatepayout WHERE id = NEW.carries_id
                        AND state = 'CARRIED' AND amount = NEW.carried
                    ) THEN
                        RAISE EXCEPTION 'an affiliate payout carries what was left below zero'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['state', 'earned', 'amount', 'credit_id', 'applied_at']",
                    )
                ],
                func="""
                    IF to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'an affiliate payout never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.earned <> NEW.earned
                        AND (OLD.state <> 'OPEN' OR pg_trigger_depth() < 2) THEN
                        RAISE EXCEPTION 'a closed affiliate payout takes no more shares'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
                        ('OPEN', 'PENDING'), ('OPEN', 'CARRIED'), ('PENDING', 'APPLIED')
                    ) OR OLD.state = 'APPLIED' THEN
                        RAISE EXCEPTION 'an affiliate payout is credited once'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.credit_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM billing_credit WHERE id = NEW.credit_id
                        AND origin = 'AFFILIATE' AND amount = NEW.earned + NEW.carried
                    ) THEN
                        RAISE EXCEPTION 'an affiliate payout puts its own amount into the wallet'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Affiliate payout, {self.period}"

    # Verbs

    @transaction.atomic
    def apply(self, *, at: datetime) -> Credit:
        """Put what it comes to into the wallet of its connection, once. Raises NotPending."""
        self.connection = connection = lock(self.connection)
        self.refresh_from_db(fields=[f.attname for f in self._meta.concrete_fields])
        if self.state != self.State.PENDING:
            raise NotPending(f"The affiliate payout of {self.period} is not pending any more.")
        credit = Credit.grant(
            connection,
            self.amount,
            origin=Credit.Origin.AFFILIATE,
            reason=str(self),
            by=None,
            at=at,
        )
        self.state, self.credit, self.applied_at = self.State.APPLIED, credit, at
        self.save(update_fields=["state", "credit", "applied_at"])
        events.payout_applied.record(
            self,
            by=None,
            at=at,
            organization=connection.customer,
            connection=connection,
            period=self.period,
            amount=self.total,
            provider=connection.provider.name,
        )
        return credit

    # Properties

    @property
    def period(self) -> str:
        """The period in words: a month by its name, else its days."""
        start, end = self.period_start, self.period_end
        is_month = start.day == end.day == 1 and (end - start).days <= 31
        return date_format(start, "F Y") if is_month else span(start, end)

    @property
    def last_day(self) -> date:
        return self.period_end - timedelta(days=1)

    @property
    def due_at(self) -> datetime:
        """When it goes into the wallet."""
        return self.closed_at + timedelta(days=settings.AFFILIATE_WAIT_DAYS)

    @property
    def total(self) -> Money:
        """What it comes to, with what was carried into it."""
        return Money(self.amount, self.currency)

    @property
    def earned_money(self) -> Money:
        return Money(self.earned, self.currency)

    @property
    def carried_money(self) -> Money:
        return Money(self.carried, self.currency)

    @property
    def has_carried_on(self) -> bool:
        return self.state == self.State.CARRIED and self.amount < 0
