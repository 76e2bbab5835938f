"""Affiliate shares: what a referrer earns of a payment for a base subscription, or of a refund."""

import uuid
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q, Sum

from billing.models import Dispute, Payment, Refund
from connections.models import Connection
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .earnings import Earning, kind_in_words
from .referral_terms import WHOLE, percent_in_words
from .referrals import Referral


class AffiliateShareQuerySet(models.QuerySet["AffiliateShare"]):
    def waiting(self) -> Self:
        """Those of no affiliate payout yet."""
        return self.filter(payout=None)

    def newest_first(self) -> Self:
        return self.order_by("-earned_at", "-id")

    def total(self) -> int:
        """What they come to, in minor units."""
        return int(self.aggregate(total=Sum("amount", default=0))["total"])


class AffiliateShare(models.Model):
    """What `account`, the connection of Revampd with the referrer, earns of one payment.

    `base` is the part of it that paid the base subscription, `fee` what Revampd took of that first,
    `amount` the `rate` (hundredths of a percent) of the rest; all is below zero for what went back,
    by a refund or by a dispute, and comes again if that `is_won`. If a Partner bears it, `earning`
    is where it was taken out, at `bearer`, its connection with Revampd; if Revampd bears it, there
    is none and no fee. `payout` is set once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="affiliate_shares", db_constraint=False
    )
    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="shares", db_constraint=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    dispute = models.ForeignKey(
        Dispute, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    is_won = models.BooleanField(default=False, db_default=False)
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="reversals", db_constraint=False
    )
    earning = models.OneToOneField(
        Earning, on_delete=models.PROTECT, null=True, related_name="share", db_constraint=False
    )
    bearer = models.ForeignKey(
        Connection,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    currency = CurrencyField()
    fee_rate = models.PositiveIntegerField(default=0)
    rate = models.PositiveIntegerField()
    base = MinorUnitsField()
    fee = MinorUnitsField()
    amount = MinorUnitsField()
    earned_at = models.DateTimeField()
    earned_on = models.DateField()
    payout = models.ForeignKey(
        "payouts.AffiliatePayout",
        on_delete=models.PROTECT,
        null=True,
        related_name="shares",
        db_constraint=False,
    )

    mutable = ("payout",)

    objects: ClassVar[Any] = AffiliateShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=Q(reverses=None), name="share_once_a_payment"
            ),
            models.UniqueConstraint(fields=["refund"], name="share_once_a_refund"),
            models.UniqueConstraint(fields=["dispute", "is_won"], name="share_once_a_dispute"),
            models.UniqueConstraint(fields=["id", "referral", "payment"], name="share_of_payment"),
            CompositeForeignKey(
                name="share_to_account",
                fields=["referral", "account"],
                to="payouts.Referral",
                to_fields=["id", "account"],
            ),
            CompositeForeignKey(
                name="share_at_rate",
                fields=["connection", "referral", "rate"],
                to="payouts.Referral",
                to_fields=["connection", "id", "rate"],
            ),
            CompositeForeignKey(
                name="share_of_paid",
                fields=["connection", "payment"],
                to="billing.Payment",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="share_of_refund",
                fields=["payment", "refund"],
                to="billing.Refund",
                to_fields=["payment", "id"],
            ),
            CompositeForeignKey(
                name="share_of_dispute",
                fields=["payment", "dispute"],
                to="billing.Dispute",
                to_fields=["payment", "id"],
            ),
            CompositeForeignKey(
                name="share_reverses",
                fields=["reverses", "referral", "payment"],
                to="payouts.AffiliateShare",
                to_fields=["id", "referral", "payment"],
            ),
            CompositeForeignKey(
                name="share_out_of_earning",
                fields=["earning", "bearer", "payment", "fee_rate", "rate"],
                to="payouts.Earning",
                to_fields=["id", "account", "payment", "fee_rate", "affiliate_rate"],
            ),
            CompositeForeignKey(
                name="share_in_payout",
                fields=["account", "payout"],
                to="payouts.AffiliatePayout",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(earning=None, bearer=None, fee_rate=0, fee=0)
                | Q(earning__isnull=False, bearer__isnull=False),
                name="share_bearer",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0, rate__lte=WHOLE, fee_rate__lte=WHOLE), name="share_percent"
            ),
            models.CheckConstraint(
                condition=Q(reverses=None, base__gt=0, fee__gte=0, amount__gte=0)
                & Q(amount__lte=F("base") - F("fee"))
                | Q(reverses__isnull=False, is_won=False, base__lte=0, fee__lte=0, amount__lte=0)
                | Q(reverses__isnull=False, is_won=True, base__gte=0, fee__gte=0, amount__gte=0),
                name="share_sign",
            ),
            models.CheckConstraint(
                condition=Q(reverses=None, refund=None, dispute=None, is_won=False)
                | Q(reverses__isnull=False, refund__isnull=False, dispute=None, is_won=False)
                | Q(reverses__isnull=False, refund=None, dispute__isnull=False),
                name="share_of_what_went_back",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "earned_on"], condition=Q(payout=None), name="share_waiting"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="fresh",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__payout__isnull=False),
                func="""
                    RAISE EXCEPTION 'a share begins without a payout'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
            pgtrigger.Trigger(
                name="borne",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.earning_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payouts_earning WHERE id = NEW.earning_id
                        AND referral_id = NEW.referral_id AND affiliate = NEW.amount
                        AND base = NEW.base AND (refund_id, dispute_id, is_won)
                            IS NOT DISTINCT FROM (NEW.refund_id, NEW.dispute_id, NEW.is_won)
                    ) THEN
                        RAISE EXCEPTION 'a share is what was taken out of the earning'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.earning_id IS NULL AND NOT EXISTS (
                        SELECT 1 FROM connections_connection
                        WHERE id = NEW.connection_id AND provider_kind = 'PLATFORM'
                    ) THEN
                        RAISE EXCEPTION 'a Partner bears what its Sub-Orgs bring'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="within_the_months",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__reverses__isnull=True),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM payouts_referral WHERE id = NEW.referral_id
                        AND starts_on <= NEW.earned_on
                        AND (ends_on IS NULL OR ends_on > NEW.earned_on)
                    ) THEN
                        RAISE EXCEPTION 'a referral earns for its months'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.payout_id IS NOT NULL OR to_jsonb(OLD) - 'payout_id'
                       IS DISTINCT FROM to_jsonb(NEW) - 'payout_id' THEN
                        RAISE EXCEPTION 'a share only joins a payout, once'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Per statement: a period is closed with all its shares at once.
            pgtrigger.Trigger(
                name="counted",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="joined"),
                func="""
                    UPDATE payouts_affiliatepayout payout SET earned = payout.earned + sums.amount
                    FROM (
                        SELECT payout_id, sum(amount) AS amount FROM joined
                        WHERE payout_id IS NOT NULL GROUP BY payout_id
                    ) sums
                    WHERE payout.id = sums.payout_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_money} of {self.referral.referred}"

    # Properties

    @property
    def base_money(self) -> Money:
        return Money(self.base, self.currency)

    @property
    def fee_money(self) -> Money:
        return Money(self.fee, self.currency)

    @property
    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def percent(self) -> str:
        return percent_in_words(self.rate)

    @property
    def kind(self) -> str:
        """What it is of, in a word or two."""
        return kind_in_words(self)
