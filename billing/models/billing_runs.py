"""Billing runs: what is due by a day, how far each has come, and who asked for it."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from billing import events
from connections.kinds import EventKind
from connections.models import Organization, User
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock
from revampd.kit.money import Money

# A run that has not gone on for so long has lost its worker.
SILENCE = timedelta(minutes=2)


class RunUnderWay(Conflict):
    """Somebody asked for a run that has not ended yet."""


class BillingRunQuerySet(models.QuerySet["BillingRun"]):
    def asked(self) -> Self:
        """Those that somebody asked for and that have not ended."""
        return self.filter(finished_at=None, asked_by__isnull=False)

    def silent(self, now: datetime) -> Self:
        """Those that no worker is at."""
        return self.filter(Q(went_on_at=None) | Q(went_on_at__lt=now - SILENCE), finished_at=None)


class BillingRun(models.Model):
    """One pass over everything that is due by a day, and how far it has come.

    A dry one finds out what would be issued, by issuing it and taking that back. `amounts` is what
    the invoices come to, minor units by currency. Instants are real time.
    """

    on = models.DateField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    connections = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    issued = models.PositiveIntegerField(default=0)
    stopped = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    is_dry = models.BooleanField(default=False)
    went_on_at = models.DateTimeField(null=True)
    amounts = models.JSONField(default=dict)

    objects: ClassVar[Any] = BillingRunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="billing_run_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None, asked_by__isnull=False),
                nulls_distinct=False,
                name="billing_run_one_asked",
            ),
            models.CheckConstraint(
                condition=Q(is_dry=False) | Q(asked_by__isnull=False),
                name="billing_run_dry_if_asked",
            ),
        ]

    def __str__(self) -> str:
        name = "Dry run" if self.is_dry else "Billing run"
        return f"{name} of {self.started_at:%d %b %Y, %H:%M}"

    # Factories

    @classmethod
    @transaction.atomic
    def ask(cls, *, on: date | None, is_dry: bool, by: User, at: datetime) -> "BillingRun":
        """Have a worker do it. Raises RunUnderWay: of those that were asked for, one at a time."""
        run = cls(on=on, is_dry=is_dry, asked_by=by, started_at=at)
        try:
            with transaction.atomic():
                run.save(force_insert=True)
        except IntegrityError:
            raise RunUnderWay(
                "A run that was asked for is under way.",
                next_step="Wait for its end, or resume it.",
            ) from None
        run._record(events.run_asked, by=by)
        return run

    # Verbs

    @transaction.atomic
    def resume(self, *, by: User, at: datetime) -> None:
        """Go on with a run that lost its worker. Raises Conflict if it ended, or still goes on."""
        run = lock(self)
        if run.finished_at:
            raise Conflict("It has ended. What is due since then takes another run.")
        if run.went_on_at and run.went_on_at > at - SILENCE:
            raise RunUnderWay("A worker is at it.", next_step="Reload to see how far it is.")
        run.asked_by, run.went_on_at = run.asked_by or by, None
        try:
            with transaction.atomic():
                run.save(update_fields=["asked_by", "went_on_at"])
        except IntegrityError:
            raise RunUnderWay(
                "Another run that was asked for is under way.", next_step="Wait for its end."
            ) from None
        run._record(events.run_resumed, by=by)
        self.refresh_from_db()

    def take(self, now: datetime) -> bool:
        """Whether this worker has it from now on: of several that try, one does."""
        free = type(self).objects.silent(now).filter(pk=self.pk)
        return bool(free.update(went_on_at=now))

    def _record(self, kind: EventKind, *, by: User) -> None:
        kind.record(
            self,
            by=by,
            organization=Organization.objects.platform(),
            what="dry run" if self.is_dry else "billing run",
            on=self.on or "today",
        )
        ring_on_commit(events.RUN_TASK)

    # Properties

    @property
    def percent(self) -> int:
        return min(100 * self.done // self.connections, 100) if self.connections else 100

    @property
    def is_silent(self) -> bool:
        """Whether it has not ended and no worker is at it any more."""
        since = self.went_on_at or self.started_at
        return self.finished_at is None and since < timezone.now() - SILENCE

    @property
    def totals(self) -> list[Money]:
        """What the invoices come to, an amount a currency."""
        return [Money(minor, currency) for currency, minor in sorted(self.amounts.items())]
