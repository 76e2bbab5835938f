"""Payment methods: how a customer pays on one connection. The gateway keeps the card, not we."""

import uuid
from datetime import date, datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from billing import events
from billing.gateways.base import MethodDetails
from connections.kinds import EventKind
from connections.models import Connection, User
from revampd.kit.constraints import no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.locking import lock


class MethodGone(Conflict):
    """The payment method was removed, or is needed just now."""


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    def usable(self) -> Self:
        return self.filter(removed_at__isnull=True)

    def default(self) -> "PaymentMethod | None":
        """The one that is charged."""
        return self.usable().filter(is_default=True).first()


class PaymentMethod(models.Model):
    """A stored card: the gateway's references and what people recognize it by.

    A connection has one default. Removed ones stay, because payments name them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="payment_methods"
    )
    gateway = models.CharField(max_length=20)
    reference = models.CharField(max_length=255)
    customer_reference = models.CharField(max_length=255, blank=True)
    brand = models.CharField(max_length=30)
    last4 = models.CharField(max_length=4)
    exp_month = models.PositiveSmallIntegerField()
    exp_year = models.PositiveSmallIntegerField()
    is_default = models.BooleanField(default=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    mutable = ("is_default", "removed_at")

    objects: ClassVar[Any] = PaymentMethodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="method_connection_id"),
            models.UniqueConstraint(fields=["gateway", "reference"], name="method_reference"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(is_default=True), name="method_one_default"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(removed_at=None),
                name="method_default_is_usable",
            ),
            models.CheckConstraint(
                condition=Q(exp_month__gte=1, exp_month__lte=12), name="method_expiry"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                declare=[("apart", "text[] := ARRAY['is_default', 'removed_at']")],
                func="""
                    IF OLD.removed_at IS NOT NULL
                       OR to_jsonb(OLD) - apart IS DISTINCT FROM to_jsonb(NEW) - apart THEN
                        RAISE EXCEPTION 'a payment method never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.label

    # Factories

    @classmethod
    @transaction.atomic
    def add(
        cls, connection: Connection, details: MethodDetails, *, gateway: str, by: User, at: datetime
    ) -> "PaymentMethod":
        """Keep a method that the gateway has stored; the newest is the default.

        What is owed is tried with it at once, by a worker. Adding the same again changes nothing.
        Raises NotAllowed, and Invalid for a method of somebody else.
        """
        connection = lock(connection)
        connection.customer.require_biller(by)
        if details.owner != connection.pk:
            raise Invalid("This payment method was added for somebody else.")
        known = connection.payment_methods.filter(gateway=gateway, reference=details.reference)
        if method := known.first():
            return method
        connection.payment_methods.filter(is_default=True).update(is_default=False)
        method = cls.objects.create(
            connection=connection,
            gateway=gateway,
            reference=details.reference,
            customer_reference=details.customer,
            brand=details.brand,
            last4=details.last4,
            exp_month=details.exp_month,
            exp_year=details.exp_year,
            is_default=True,
            added_by=by,
            added_at=at,
        )
        method._record(events.method_added, by=by, at=at)
        method._retry(at)
        return method

    # Verbs

    @transaction.atomic
    def choose(self, *, by: User, at: datetime) -> None:
        """Pay by this one from now on; what is owed is tried with it at once.

        Raises NotAllowed and MethodGone.
        """
        self._hold(by)
        if self.is_default:
            return
        self.connection.payment_methods.filter(is_default=True).update(is_default=False)
        self._change(is_default=True)
        self._record(events.method_chosen, by=by, at=at)
        self._retry(at)

    @transaction.atomic
    def remove(self, *, by: User, at: datetime) -> None:
        """Forget it. The next newest one becomes the default, and pays what is owed.

        Raises NotAllowed and MethodGone.
        """
        self._hold(by)
        if self.payments.unsettled().exists():
            raise MethodGone(
                f"A payment by {self} is under way.", next_step="Remove it when that is settled."
            )
        was_default = self.is_default
        self._change(is_default=False, removed_at=at)
        self._record(events.method_removed, by=by, at=at)
        others = self.connection.payment_methods.usable().order_by("-added_at")
        if was_default and (heir := others.first()):
            heir._change(is_default=True)
            heir._retry(at)

    def _hold(self, by: User) -> None:
        lock(self.connection)
        self.refresh_from_db()
        self.connection.customer.require_biller(by)
        if self.removed_at:
            raise MethodGone(f"{self} was removed already.")

    def _change(self, **changes: Any) -> None:
        type(self).objects.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def _retry(self, at: datetime) -> None:
        for invoice in self.connection.invoices.owed():
            invoice.begin_again(at=at)
        ring_on_commit(events.COLLECT_TASK)

    def _record(self, kind: EventKind, *, by: User, at: datetime) -> None:
        kind.record(
            self,
            by=by,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            method=self.label,
            provider=self.connection.provider.name,
        )

    # Properties

    @property
    def label(self) -> str:
        """ "Visa ending 4242"."""
        return f"{self.brand} ending {self.last4}"

    @property
    def expiry(self) -> str:
        """As it is printed on a card: "04/29"."""
        return f"{self.exp_month:02d}/{self.exp_year % 100:02d}"

    def has_expired(self, today: date) -> bool:
        """A card is good until the end of its month."""
        return (self.exp_year, self.exp_month) < (today.year, today.month)
