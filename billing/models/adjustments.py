"""Adjustments of a wallet that need two: one member of staff proposes, another approves."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Sum

from billing import events
from connections.kinds import EventKind
from connections.models import Connection, Organization, User
from revampd.kit.constraints import no_truncate
from revampd.kit.errors import Conflict, NotAllowed
from revampd.kit.ids import growing_id
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money, parse_minor

from .credits import Credit
from .deductions import Deduction
from .ledger import REASON_LENGTH

# Splitting an amount gets nobody past the second person: a day of one's own counts together.
TOGETHER = timedelta(days=1)


class AdjustmentDecided(Conflict):
    """Somebody was faster."""


class AdjustmentQuerySet(models.QuerySet["Adjustment"]):
    def pending(self) -> Self:
        return self.filter(state=Adjustment.State.PENDING)


class Adjustment(models.Model):
    """Credit for a wallet, or less of it, that Revampd gives only by two of its staff.

    Approved, it is a credit or a deduction with the id of this row, so that there is one at most.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", "Pending"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Rejected"

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="adjustments")
    currency = CurrencyField()
    amount = MinorUnitsField()
    reason = models.CharField(max_length=REASON_LENGTH)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    mutable = ("state", "decided_by", "decided_at")

    objects: ClassVar[Any] = AdjustmentQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_amount"),
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_reason"),
            models.CheckConstraint(
                condition=Q(state="PENDING", decided_by=None, decided_at=None)
                | Q(state="REJECTED", decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="APPROVED", decided_by__isnull=False, decided_at__isnull=False),
                name="adjustment_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="APPROVED", decided_by=F("proposed_by")),
                name="adjustment_by_two",
            ),
        ]
        indexes = [
            models.Index(
                fields=["proposed_at"], condition=Q(state="PENDING"), name="adjustment_pending"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="PENDING"),
            ),
            pgtrigger.Trigger(
                name="begins_pending",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__state="PENDING"),
                func="""
                    RAISE EXCEPTION 'an adjustment begins undecided'
                        USING ERRCODE = 'integrity_constraint_violation';
                """,
            ),
            no_truncate(),
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
    ) -> "Credit | Deduction | Adjustment":
        """Adjust a wallet, or propose it where a second member of staff has to approve.

        `key` becomes its id, as in `Credit.adjust`, whose refusals this raises too.
        """
        connection = lock(connection)
        if key and (known := cls.objects.filter(pk=key, connection=connection).first()):
            return known
        if made := key and Credit.made_before(key, connection):
            return made
        if not needs_second(connection, minor, by=by, at=at):
            return Credit.adjust(connection, minor, reason=reason, by=by, at=at, key=key)
        connection.provider.require_biller(by, or_staff=True)
        reason = Credit.guard_adjustment(minor, reason)
        Deduction.guard(connection, -minor)
        adjustment = cls(
            pk=key or growing_id(),
            connection=connection,
            currency=connection.currency,
            amount=minor,
            reason=reason,
            proposed_by=by,
            proposed_at=at,
        )
        adjustment.save(force_insert=True)
        adjustment._record(events.adjustment_proposed, by=by, at=at)
        return adjustment

    # Verbs

    @transaction.atomic
    def approve(self, *, by: User, at: datetime) -> "Credit | Deduction":
        """Put it into effect. Raises AdjustmentDecided, NotAllowed, InsufficientCredit.

        Whoever proposed it is not the second person, whatever role they have.
        """
        adjustment = self._held(by)
        if by == adjustment.proposed_by:
            raise NotAllowed("You proposed it yourself. Somebody else has to approve.")
        adjustment._decide(self.State.APPROVED, by=by, at=at)
        made = Credit.carry_out(
            adjustment.connection,
            adjustment.amount,
            reason=adjustment.reason,
            by=by,
            at=at,
            key=adjustment.pk,
        )
        adjustment._record(events.adjustment_approved, by=by, at=at)
        self.refresh_from_db()
        return made

    @transaction.atomic
    def reject(self, *, by: User, at: datetime) -> None:
        """It will not be. Whoever proposed it may take it back so. Raises AdjustmentDecided."""
        adjustment = self._held(by)
        adjustment._decide(self.State.REJECTED, by=by, at=at)
        adjustment._record(events.adjustment_rejected, by=by, at=at)
        self.refresh_from_db()

    def _held(self, by: User) -> "Adjustment":
        """This row as it stands, held until the transaction ends, if `by` may decide it."""
        if not by.has_perm("billing.change_adjustment"):
            raise NotAllowed("Your role does not allow to decide about adjustments.")
        connection = lock(self.connection)
        adjustment: Adjustment = lock(self)
        adjustment.connection = connection
        if adjustment.state != self.State.PENDING:
            who, when = adjustment.decided_by, adjustment.decided_at
            state = adjustment.get_state_display().lower()
            raise AdjustmentDecided(f"{who} {state} it already, on {when:%d %b %Y at %H:%M} UTC.")
        return adjustment

    def _decide(self, state: "Adjustment.State", *, by: User, at: datetime) -> None:
        self.state, self.decided_by, self.decided_at = state, by, at
        self.save(update_fields=["state", "decided_by", "decided_at"])

    def _record(self, kind: EventKind, *, by: User, at: datetime) -> None:
        """For Revampd alone: the customer hears of the credit, if there is one."""
        kind.record(
            self,
            by=by,
            at=at,
            organization=Organization.objects.platform(),
            amount=self.total,
            reason=self.reason,
            wallet=f"{self.connection}",
            person=by.name,
        )

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)


def needs_second(connection: Connection, minor: int, *, by: User, at: datetime) -> bool:
    """Whether so much, with what `by` adjusted alone within a day, takes two of Revampd's staff.

    A Partner's own members decide alone about what their organization gives.
    """
    provider = connection.provider
    if not (provider.is_platform or by.is_staff):
        return False
    if not provider.is_platform and provider.memberships.billing().filter(user=by).exists():
        return False
    return abs(minor) + _so_far(connection, by=by, since=at - TOGETHER) > alone(connection).minor


def alone(connection: Connection) -> Money:
    """How much one member of staff may adjust within a day."""
    currency = connection.currency
    return Money(parse_minor(settings.SECOND_PERSON_ABOVE, currency), currency)


def _so_far(connection: Connection, *, by: User, since: datetime) -> int:
    """Minor units, given and taken, that `by` adjusted without anybody else."""
    by_two = connection.adjustments.values("pk")
    given = connection.credits.filter(
        origin=Credit.Origin.ADJUSTMENT, issued_by=by, issued_at__gt=since
    ).exclude(pk__in=by_two)
    taken = connection.deductions.filter(made_by=by, made_at__gt=since).exclude(pk__in=by_two)
    rows = (given, taken)
    return sum(row.aggregate(sum=Sum("amount", default=0))["sum"] for row in rows)
