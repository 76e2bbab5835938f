"""What credits were used for, and what went back to them. All in minor units."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.pricing import first_in_first_out
from connections.models import Connection
from revampd.kit.constraints import AppendOnly, CompositeForeignKey, no_truncate
from revampd.kit.money import MinorUnitsField, Money

from .ledger import Entry, Movement, Transfer


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
        "billing.Credit",
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
        "billing.Deduction",
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
