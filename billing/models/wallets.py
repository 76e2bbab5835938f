"""The wallet of a connection: credits as lots, and what they were used for. All in minor units.

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
from billing.pricing import first_in_first_out
from connections.models import Connection, User
from revampd.kit.constraints import AppendOnly, CompositeForeignKey, no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Invalid
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .ledger import Entry, Movement, Transfer

REASON_LENGTH = 200


class InsufficientCredit(Invalid):
    """The wallet holds less than was to be taken out."""


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

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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

        `key` becomes its id: a form that is sent twice gets the adjustment of the first time.
        Raises Invalid for nothing, for no reason and for more than the wallet holds; NotAllowed.
        """
        connection = lock(connection)
        connection.provider.require_biller(by, or_staff=True)
        if made := key and cls._made_before(key, connection):
            return made
        reason = reason.strip()
        if not minor:
            raise Invalid("Enter an amount other than zero.", field="amount")
        if not reason:
            raise Invalid("Say why: the customer reads it in the wallet.", field="reason")
        if len(reason) > REASON_LENGTH:
            raise Invalid(f"Keep the reason under {REASON_LENGTH} characters.", field="reason")
        if minor < 0:
            return Deduction.take(connection, -minor, reason=reason, by=by, at=at, key=key)
        origin = cls.Origin.ADJUSTMENT
        return cls.grant(connection, minor, origin=origin, reason=reason, by=by, at=at, key=key)

    @classmethod
    def _made_before(cls, key: uuid.UUID, connection: Connection) -> "Credit | Deduction | None":
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
            pk=key or uuid.uuid4(),
            connection=connection,
            currency=connection.currency,
            origin=origin,
            amount=minor,
            reason=reason,
            issued_by=by,
            issued_at=at,
        )
        # What a refund could not bring back moves from what is due, not from thin air.
        is_refund = origin == cls.Origin.REFUND
        kind = Movement.REFUND_CREDITED if is_refund else Movement.GRANTED
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


class Deduction(AppendOnly):
    """A negative adjustment: what the provider takes back out of the wallet, with a reason."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="deductions")
    currency = CurrencyField()
    amount = MinorUnitsField()
    reason = models.CharField(max_length=REASON_LENGTH)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="deduction_connection_id"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="deduction_amount"),
            models.CheckConstraint(condition=~Q(reason=""), name="deduction_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.total} ({self.reason})"

    # Factories

    @classmethod
    def take(
        cls,
        connection: Connection,
        minor: int,
        *,
        reason: str,
        by: User,
        at: datetime,
        key: uuid.UUID | None = None,
    ) -> "Deduction":
        """Take `minor` units out, oldest credit first. The caller holds the connection's lock.

        Raises InsufficientCredit if the wallet holds less.
        """
        balance = connection.credits.balance(connection.currency)
        if balance.minor < minor:
            raise InsufficientCredit(
                f"The wallet holds {balance}, so no more can be taken out.", field="amount"
            )
        deduction = cls.objects.create(
            pk=key or uuid.uuid4(),
            connection=connection,
            currency=connection.currency,
            amount=minor,
            reason=reason,
            made_by=by,
            made_at=at,
        )
        CreditApplication.spend(connection, minor, at=at, deduction=deduction)
        events.credit_deducted.record(
            deduction,
            by=by,
            at=at,
            organization=connection.provider,
            connection=connection,
            amount=deduction.total,
            reason=reason,
            balance=balance - deduction.total,
            provider=connection.provider.name,
        )
        return deduction

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)


class CreditApplicationQuerySet(models.QuerySet["CreditApplication"]):
    def oldest_first(self) -> Self:
        return self.order_by("applied_at", "credit__issued_at", "credit_id")

    def standing(self) -> Self:
        """Those that were not given back whole."""
        return self.filter(returned__lt=F("amount"))


class CreditApplication(models.Model):
    """The use of a credit: on an invoice, or for a deduction.

    `returned` is what went back to the credit; the trigger on the returns keeps it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    credit = models.ForeignKey(
        Credit,
        on_delete=models.PROTECT,
        related_name="applications",
        db_constraint=False,
        db_index=False,
    )
    invoice = models.ForeignKey(
        "billing.Invoice",
        on_delete=models.PROTECT,
        null=True,
        related_name="applications",
        db_constraint=False,
        db_index=False,
    )
    deduction = models.ForeignKey(
        Deduction,
        on_delete=models.PROTECT,
        null=True,
        related_name="applications",
        db_constraint=False,
    )
    amount = MinorUnitsField()
    returned = MinorUnitsField(default=0)
    applied_at = models.DateTimeField()

    mutable = ("returned",)

    objects: ClassVar[Any] = CreditApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="application_connection_id"),
            CompositeForeignKey(
                name="application_of_credit",
                fields=["connection", "credit"],
                to="billing.Credit",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="application_on_invoice",
                fields=["connection", "invoice"],
                to="billing.Invoice",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="application_for_deduction",
                fields=["connection", "deduction"],
                to="billing.Deduction",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, deduction=None)
                | Q(invoice=None, deduction__isnull=False),
                name="application_one_purpose",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_amount"),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=F("amount")),
                name="application_never_over_returned",
            ),
        ]
        indexes = [
            models.Index(fields=["invoice"], name="application_invoice"),
            models.Index(fields=["credit"], name="application_credit"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF pg_trigger_depth() < 2
                       OR to_jsonb(OLD) - 'returned' IS DISTINCT FROM to_jsonb(NEW) - 'returned'
                    THEN
                        RAISE EXCEPTION 'an application changes only by what is returned of it'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Per statement, not per row: a billing run applies credits by the thousand.
            pgtrigger.Trigger(
                name="counted",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                func="""
                    IF EXISTS (SELECT 1 FROM added WHERE returned <> 0) THEN
                        RAISE EXCEPTION 'an application begins with nothing returned'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    UPDATE billing_credit credit SET applied = credit.applied + sums.amount
                    FROM (SELECT credit_id, sum(amount) AS amount FROM added GROUP BY 1) sums
                    WHERE credit.id = sums.credit_id;
                    UPDATE billing_invoice invoice
                    SET credited = invoice.credited + sums.amount,
                        state = CASE WHEN invoice.outstanding = sums.amount THEN 'PAID'
                                     ELSE invoice.state END
                    FROM (SELECT invoice_id, sum(amount) AS amount FROM added
                          WHERE invoice_id IS NOT NULL GROUP BY 1) sums
                    WHERE invoice.id = sums.invoice_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.used} of {self.credit.reason}"

    # Factories

    @classmethod
    def spend(
        cls, connection: Connection, minor: int, *, at: datetime, **purpose: models.Model
    ) -> int:
        """Use up to `minor` units for `purpose` (invoice= or deduction=), oldest credit first.

        The caller holds the connection's lock. Returns how much was used.
        """
        unspent = connection.credits.unspent().oldest_first()
        lots = unspent.values_list("pk", F("amount") - F("applied"))
        rows = [
            cls(connection=connection, credit_id=credit, amount=amount, applied_at=at, **purpose)
            for credit, amount in first_in_first_out(lots, minor)
        ]
        cls.objects.bulk_create(rows)
        kind = Movement.DEDUCTED if "deduction" in purpose else Movement.APPLIED
        Transfer.book(*(Entry(connection.pk, kind, r.amount, r.pk) for r in rows), at=at)
        return sum(row.amount for row in rows)

    # Verbs

    def give_back(self, minor: int, *, at: datetime) -> None:
        """Return `minor` units to the credit they came from. The caller holds the lock."""
        back = CreditReturn.objects.create(
            connection_id=self.connection_id, application=self, amount=minor, returned_at=at
        )
        Transfer.book(Entry(self.connection_id, Movement.RETURNED, minor, back.pk), at=at)
        self.returned += minor

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.credit.currency)

    @property
    def used(self) -> Money:
        """What of it stands: the amount less what was returned."""
        return Money(self.amount - self.returned, self.credit.currency)


class CreditReturn(AppendOnly):
    """Cents that went back from an application to the credit they came from."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    application = models.ForeignKey(
        CreditApplication, on_delete=models.PROTECT, related_name="returns", db_constraint=False
    )
    amount = MinorUnitsField()
    returned_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            CompositeForeignKey(
                name="return_of_application",
                fields=["connection", "application"],
                to="billing.CreditApplication",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="return_amount"),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                declare=[("used", "billing_creditapplication%ROWTYPE")],
                func="""
                    UPDATE billing_creditapplication SET returned = returned + NEW.amount
                    WHERE id = NEW.application_id RETURNING * INTO used;
                    UPDATE billing_credit SET applied = applied - NEW.amount
                    WHERE id = used.credit_id;
                    UPDATE billing_invoice
                    SET credited = credited - NEW.amount,
                        state = CASE WHEN state = 'PAID' THEN 'OPEN' ELSE state END
                    WHERE id = used.invoice_id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"return {self.pk}"
