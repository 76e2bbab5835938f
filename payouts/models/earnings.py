"""Earnings: the Partner's share of what was collected from its Sub-Orgs, and of what went back."""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, ClassVar, NamedTuple, Self

import pgtrigger
from django.db import models
from django.db.models import Count, F, Q, Sum, Value

from billing.models import BillingRequest, Dispute, Payment, Refund
from connections.models import Connection, Organization
from revampd.kit.constraints import CompositeForeignKey, no_truncate
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

WHOLE = 10_000  # hundredths of a percent


class Sums(NamedTuple):
    """What earnings come to, in minor units."""

    gross: int
    fee: int
    affiliate: int
    net: int
    number: int


def kind_in_words(row: Any) -> str:
    """What an earning or a share is of, in a word or two."""
    if row.dispute_id:
        return "Dispute won" if row.is_won else "Dispute"
    return "Refund" if row.refund_id else "Payment"


class EarningQuerySet(models.QuerySet["Earning"]):
    def waiting(self) -> Self:
        """Those of no payout yet."""
        return self.filter(payout=None)

    def newest_first(self) -> Self:
        return self.order_by("-earned_at", "-id")

    def oldest_first(self) -> Self:
        return self.order_by("earned_at", "id")

    def with_documents(self) -> Self:
        """With everything that a list names of them."""
        return self.select_related("payment__invoice", "connection__customer", "authority")

    def sums(self) -> Sums:
        columns = {name: Sum(name, default=0) for name in Sums._fields[:-1]}
        return Sums(**self.aggregate(**columns, number=Count("pk")))

    def by_week(self, starts: Iterable[date]) -> "dict[date, int]":
        """What each of these weeks earned, in minor units of net."""
        weeks = list(starts)
        if not weeks:
            return {}
        columns = {
            day.isoformat(): Sum(
                "net",
                filter=Q(earned_on__gte=day, earned_on__lt=day + timedelta(days=7)),
                default=0,
            )
            for day in weeks
        }
        rows = self.filter(earned_on__gte=min(weeks))
        sums = rows.aggregate(**columns)
        return {day: sums[day.isoformat()] for day in weeks}

    def by_sub_org(self) -> "list[tuple[str, int]]":
        """What each Sub-Org earned its Partner, in minor units of net, the most first."""
        rows = self.values("connection").annotate(name=F("connection__customer__name"))
        sums = rows.annotate(sum=Sum("net")).order_by("-sum", "name", "connection")
        return list(sums.values_list("name", "sum"))


class Earning(models.Model):
    """One collected payment of a Sub-Org, or what of it went back (then all is below zero): by a
    refund, or by a dispute, whose amount comes again once it `is_won`.

    `account` is the connection of Revampd with the Partner, where the earning is paid out;
    `connection` that of the Partner with the Sub-Org, where the money came from. The rates
    (hundredths of a percent) are those of the moment of the payment, and of its refunds too.
    `authority` is the tier that the Partner approved, with its fee: without one, there is no fee.
    `base` is the part that paid the base subscription of a Sub-Org that came by `referral`: of it,
    after its fee, whoever brought the Sub-Org gets `affiliate`. `earned_on` is the day at Revampd.
    `payout` is set once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="earnings", db_constraint=False
    )
    connection = models.ForeignKey(
        Connection,
        on_delete=models.PROTECT,
        related_name="earned",
        db_constraint=False,
    )
    partner = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="earnings", db_constraint=False
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
    authority = models.ForeignKey(
        BillingRequest, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    authority_kind = models.GeneratedField(
        expression=Value("PLAN"), output_field=models.CharField(max_length=10), db_persist=True
    )
    authority_state = models.GeneratedField(
        expression=Value("APPROVED"), output_field=models.CharField(max_length=10), db_persist=True
    )
    currency = CurrencyField()
    fee_rate = models.PositiveIntegerField()
    affiliate_rate = models.PositiveIntegerField(default=0)
    referral = models.ForeignKey(
        "payouts.Referral",
        on_delete=models.PROTECT,
        null=True,
        related_name="earnings",
        db_constraint=False,
        db_index=False,
    )
    base = MinorUnitsField(default=0, db_default=0)
    gross = MinorUnitsField()
    fee = MinorUnitsField()
    affiliate = MinorUnitsField(default=0)
    net = MinorUnitsField()
    earned_at = models.DateTimeField()
    earned_on = models.DateField()
    payout = models.ForeignKey(
        "payouts.Payout",
        on_delete=models.PROTECT,
        null=True,
        related_name="earnings",
        db_constraint=False,
    )

    mutable = ("payout",)

    objects: ClassVar[Any] = EarningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment"], condition=Q(reverses=None), name="earning_once_a_payment"
            ),
            models.UniqueConstraint(fields=["refund"], name="earning_once_a_refund"),
            models.UniqueConstraint(fields=["dispute", "is_won"], name="earning_once_a_dispute"),
            # Reversals point here, so that they are of the same payment and at the same rates.
            models.UniqueConstraint(
                fields=["id", "account", "payment", "fee_rate", "affiliate_rate"],
                name="earning_rates",
            ),
            CompositeForeignKey(
                name="earning_of_account",
                fields=["account", "partner"],
                to="connections.Connection",
                to_fields=["id", "customer"],
            ),
            CompositeForeignKey(
                name="earning_of_connection",
                fields=["connection", "partner"],
                to="connections.Connection",
                to_fields=["id", "provider"],
            ),
            CompositeForeignKey(
                name="earning_of_payment",
                fields=["connection", "payment"],
                to="billing.Payment",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="earning_of_refund",
                fields=["payment", "refund"],
                to="billing.Refund",
                to_fields=["payment", "id"],
            ),
            CompositeForeignKey(
                name="earning_of_dispute",
                fields=["payment", "dispute"],
                to="billing.Dispute",
                to_fields=["payment", "id"],
            ),
            CompositeForeignKey(
                name="earning_at_the_same_rates",
                fields=["reverses", "account", "payment", "fee_rate", "affiliate_rate"],
                to="payouts.Earning",
                to_fields=["id", "account", "payment", "fee_rate", "affiliate_rate"],
            ),
            CompositeForeignKey(
                name="earning_fee_authority",
                fields=["account", "authority", "authority_kind", "authority_state"],
                to="billing.BillingRequest",
                to_fields=["connection", "id", "kind", "state"],
            ),
            CompositeForeignKey(
                name="earning_by_referral",
                fields=["connection", "referral", "affiliate_rate"],
                to="payouts.Referral",
                to_fields=["connection", "id", "rate"],
            ),
            CompositeForeignKey(
                name="earning_in_payout",
                fields=["account", "payout"],
                to="payouts.Payout",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(gross=F("net") + F("fee") + F("affiliate")), name="earning_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(gross__gt=0, net__gte=0, fee__gte=0, affiliate__gte=0)
                & (Q(reverses=None) | Q(is_won=True))
                | Q(gross__lt=0, net__lte=0, fee__lte=0, affiliate__lte=0)
                & Q(reverses__isnull=False, is_won=False),
                name="earning_sign",
            ),
            models.CheckConstraint(
                condition=Q(reverses=None, refund=None, dispute=None, is_won=False)
                | Q(reverses__isnull=False, refund__isnull=False, dispute=None, is_won=False)
                | Q(reverses__isnull=False, refund=None, dispute__isnull=False),
                name="earning_of_what_went_back",
            ),
            models.CheckConstraint(
                condition=Q(fee_rate__lte=WHOLE, affiliate_rate__lte=WHOLE), name="earning_percent"
            ),
            models.CheckConstraint(
                condition=Q(authority__isnull=False) | Q(fee_rate=0), name="earning_fee_approved"
            ),
            models.CheckConstraint(
                condition=Q(referral=None, affiliate_rate=0, affiliate=0, base=0)
                | Q(referral__isnull=False, affiliate_rate__gt=0)
                & (Q(gross__gt=0, base__gte=0, base__lte=F("gross")))
                & (Q(base__gt=0) | Q(is_won=True))
                | Q(referral__isnull=False, affiliate_rate__gt=0)
                & (Q(gross__lt=0, base__lte=0, base__gte=F("gross"))),
                name="earning_share_referred",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "earned_on"],
                condition=Q(payout=None),
                name="earning_waiting",
            ),
            models.Index(fields=["account", "-earned_on"], name="earning_of_account_idx"),
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
                    RAISE EXCEPTION 'an earning begins without a payout'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[
                    (
                        "apart",
                        "text[] := ARRAY['payout_id', 'authority_kind', 'authority_state']",
                    )
                ],
                func="""
                    IF OLD.payout_id IS NOT NULL
                       OR to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'an earning only joins a payout, once'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Per statement: a week is closed with all its earnings at once.
            pgtrigger.Trigger(
                name="counted",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="joined"),
                func="""
                    UPDATE payouts_payout payout
                    SET gross = payout.gross + sums.gross, fee = payout.fee + sums.fee,
                        affiliate = payout.affiliate + sums.affiliate
                    FROM (
                        SELECT payout_id, sum(gross) AS gross, sum(fee) AS fee,
                            sum(affiliate) AS affiliate
                        FROM joined WHERE payout_id IS NOT NULL GROUP BY payout_id
                    ) sums
                    WHERE payout.id = sums.payout_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.net_money} of {self.payment.invoice.code}"

    # Properties

    @property
    def gross_money(self) -> Money:
        return Money(self.gross, self.currency)

    @property
    def fee_money(self) -> Money:
        return Money(self.fee, self.currency)

    @property
    def affiliate_money(self) -> Money:
        return Money(self.affiliate, self.currency)

    @property
    def net_money(self) -> Money:
        return Money(self.net, self.currency)

    @property
    def kind(self) -> str:
        """What it is, in a word or two."""
        return kind_in_words(self)

    @property
    def fee_percent(self) -> str:
        """The rate as people write it: `3.5 %`."""
        whole, part = divmod(self.fee_rate, 100)
        return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"
