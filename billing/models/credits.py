"""The wallet of a connection: credits as lots, each with its origin. All in minor units.

Product rules, "Wallet". The balance is what the lots hold less what was taken from them; nothing
keeps it as a number of its own that could drift.
"""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Sum

from billing import events
from connections.models import Connection, User
from revampd.kit.constraints import no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Invalid
from revampd.kit.ids import growing_id
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .deductions import Deduction
from .ledger import REASON_LENGTH, Entry, Movement, Transfer

# What is owed already moves from there, not from thin air: a refund that did not go through, a
# payout and an affiliate payout.
GRANTED = {
    "REFUND": Movement.REFUND_CREDITED,
    "PAYOUT": Movement.PAYOUT_CREDITED,
    "AFFILIATE": Movement.SHARE_CREDITED,
}


class CreditQuerySet(models.QuerySet["Credit"]):
    def oldest_first(self) -> Self:
        """The order in which credits are used."""
        return self.order_by("issued_at", "id")

    def newest_first(self) -> Self:
        return self.order_by("-issued_at", "-id")

    def unspent(self) -> Self:
        return self.filter(applied__lt=F("amount"))

    def balance(self, currency: str) -> Money:
        """What all of these still hold together."""
        left = self.aggregate(left=Sum(F("amount") - F("applied"), default=0))["left"]
        return Money(left, currency)


class Credit(models.Model):
    """One lot of credit of one connection, with its origin. It pays only invoices of that one.

    `applied` is what was taken from it; triggers on the applications and returns keep it.
    """

    class Origin(models.TextChoices):
        ADJUSTMENT = "ADJUSTMENT", "Adjustment"
        PAYOUT = "PAYOUT", "Payout"
        AFFILIATE = "AFFILIATE", "Affiliate payout"
        REFUND = "REFUND", "Refund"

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="credits", db_index=False
    )
    currency = CurrencyField()
    origin = models.CharField(max_length=10, choices=Origin)
    amount = MinorUnitsField()
    applied = MinorUnitsField(default=0)
    reason = models.CharField(max_length=REASON_LENGTH)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    issued_at = models.DateTimeField()

    mutable = ("applied",)

    objects: ClassVar[Any] = CreditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="credit_connection_id"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="credit_amount"),
            models.CheckConstraint(
                condition=Q(applied__gte=0, applied__lte=F("amount")), name="credit_never_overdrawn"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_reason"),
            models.CheckConstraint(
                condition=Q(origin__in=["ADJUSTMENT", "PAYOUT", "AFFILIATE", "REFUND"]),
                name="credit_origin",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "issued_at", "id"],
                condition=Q(applied__lt=F("amount")),
                name="credit_unspent",
            ),
            models.Index(fields=["connection", "-issued_at"], name="credit_of_connection"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="unused",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__applied__df=0),
                func="""
                    RAISE EXCEPTION 'a credit begins unused'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF pg_trigger_depth() < 2
                       OR to_jsonb(OLD) - 'applied' IS DISTINCT FROM to_jsonb(NEW) - 'applied' THEN
                        RAISE EXCEPTION 'a credit changes only by what it is applied to'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} ({self.reason})"

    # Factories

    @classmethod
    @transaction.atomic
    def adjust(
        cls,
        connection: Connection,
        minor: int,
        *,
        reason: str,
        by: User,
        at: datetime,
        key: uuid.UUID | None = None,
    ) -> "Credit | Deduction":
        """A manual adjustment by the provider or staff: a new credit, or a deduction below zero.

        Whether Revampd's staff may do it alone is for `Adjustment.adjust` to say, which calls this.
        `key` becomes its id: a form that is sent twice gets the adjustment of the first time.
        Raises Invalid for nothing, for no reason and for more than the wallet holds; NotAllowed.
        """
        connection = lock(connection)
        connection.provider.require_biller(by, or_staff=True)
        if made := key and cls.made_before(key, connection):
            return made
        reason = cls.guard_adjustment(minor, reason)
        return cls.carry_out(connection, minor, reason=reason, by=by, at=at, key=key)

    @staticmethod
    def guard_adjustment(minor: int, reason: str) -> str:
        """The reason, if there is one, and an amount."""
        reason = reason.strip()
        if not minor:
            raise Invalid("Enter an amount other than zero.", field="amount")
        if not reason:
            raise Invalid("Say why: the customer reads it in the wallet.", field="reason")
        if len(reason) > REASON_LENGTH:
            raise Invalid(f"Keep the reason under {REASON_LENGTH} characters.", field="reason")
        return reason

    @classmethod
    def carry_out(
        cls,
        connection: Connection,
        minor: int,
        *,
        reason: str,
        by: User,
        at: datetime,
        key: uuid.UUID | None,
    ) -> "Credit | Deduction":
        """An adjustment that is decided. The caller holds the connection's lock."""
        if minor < 0:
            return Deduction.take(connection, -minor, reason=reason, by=by, at=at, key=key)
        origin = cls.Origin.ADJUSTMENT
        return cls.grant(connection, minor, origin=origin, reason=reason, by=by, at=at, key=key)

    @classmethod
    def made_before(cls, key: uuid.UUID, connection: Connection) -> "Credit | Deduction | None":
        known = (model.objects.filter(pk=key).first() for model in (cls, Deduction))
        made: Credit | Deduction | None = next(filter(None, known), None)
        if made and made.connection_id != connection.pk:
            raise Invalid("Something went wrong with this form. Send it once more.")
        return made

    @classmethod
    def grant(
        cls,
        connection: Connection,
        minor: int,
        *,
        origin: "Credit.Origin",
        reason: str,
        by: User | None,
        at: datetime,
        key: uuid.UUID | None = None,
    ) -> "Credit":
        """Put a lot of `minor` units into the wallet. The caller holds the connection's lock."""
        credit: Credit = cls.objects.create(
            pk=key or growing_id(),
            connection=connection,
            currency=connection.currency,
            origin=origin,
            amount=minor,
            reason=reason,
            issued_by=by,
            issued_at=at,
        )
        kind = GRANTED.get(origin, Movement.GRANTED)
        Transfer.book(Entry(connection.pk, kind, minor, credit.pk), at=at)
        events.credit_granted.record(
            credit,
            by=by,
            at=at,
            organization=connection.provider,
            connection=connection,
            amount=credit.total,
            reason=reason,
            origin=credit.get_origin_display(),
            balance=connection.credits.balance(connection.currency),
            provider=connection.provider.name,
        )
        # What is owed already is looked at again, since the wallet pays first.
        connection.invoices.owed().update(collect_on=connection.day_of(at))
        ring_on_commit(events.COLLECT_TASK)
        return credit

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def used(self) -> Money:
        return Money(self.applied, self.currency)

    @property
    def left(self) -> int:
        """What it still holds, in minor units."""
        left: int = self.amount - self.applied
        return left

    @property
    def remaining(self) -> Money:
        return Money(self.left, self.currency)
