"""What staff watch over: invoices that were stopped, and the check of the books."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from billing import events
from connections.kinds import EventKind
from connections.models import Connection, Event, Organization, User
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.keys import among
from revampd.kit.locking import lock


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def open(self) -> Self:
        return self.filter(resolved_at__isnull=True)


class Discrepancy(models.Model):
    """What would have been billed is not what was approved: the invoice is stopped.

    It resolves by itself once a run finds nothing unexplained on the connection any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="discrepancies"
    )
    on = models.DateField()
    found = models.TextField()
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(resolved_at__isnull=True),
                name="discrepancy_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.found

    # Factories

    @classmethod
    def compare(cls, found: Mapping[UUID, tuple[date, str]], *, at: datetime) -> set[UUID]:
        """Note what a run found on these connections: "" for nothing, a sentence for what stops it.

        Staff are told of what is new; what is explained meanwhile is resolved. The caller holds the
        locks. Returns who is stopped.
        """
        known = {
            row.connection_id: row for row in cls.objects.open().filter(among("connection", found))
        }
        stopped = {pk: what for pk, what in found.items() if what[1]}
        for pk, row in known.items():
            if pk not in stopped:
                row.resolve(at=at)
        new = Connection.objects.filter(pk__in=set(stopped) - set(known))
        for connection in new.select_related("provider", "customer"):
            on, sentence = stopped[connection.pk]
            cls.open(connection, sentence, on=on, at=at)
        return set(stopped)

    @classmethod
    def open(cls, connection: Connection, found: str, *, on: date, at: datetime) -> "Discrepancy":
        row = cls.objects.create(connection=connection, on=on, found=found, found_at=at)
        row._record(events.billing_stopped, at)
        return row

    # Verbs

    def resolve(self, *, at: datetime) -> None:
        """What was found is there no more."""
        self.resolved_at = at
        self.save(update_fields=["resolved_at"])
        self._record(events.billing_resumed, at)

    def _record(self, kind: EventKind, at: datetime) -> None:
        kind.record(
            self,
            by=None,
            at=at,
            organization=Organization.objects.platform(),
            connection=self.connection,
            found=self.found,
            provider=self.connection.provider.name,
            customer=self.connection.customer.name,
        )


class BooksCheck(models.Model):
    """One comparison of the ledger with the documents; `differences` is empty if all agree.

    It is `done` with so many of its `comparisons`. `subjects` say what each difference is about:
    "app.model:id", or "" if it is of no row. `sums` are what the equations came to, for all and in
    each currency. `problem` is why it came to no end.
    """

    checked_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True)
    comparisons = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    differences = models.JSONField(default=list)
    subjects = models.JSONField(default=list)
    sums = models.JSONField(default=list)
    problem = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["-checked_at"], name="books_check_newest")]

    def __str__(self) -> str:
        return f"Check of {self.checked_at:%d %b %Y, %H:%M}"

    # Factories

    @classmethod
    @transaction.atomic
    def ask(cls, *, by: User, at: datetime) -> "BooksCheck":
        """Have a worker compare the books now: it may take longer than a page."""
        check: BooksCheck = cls.objects.create(checked_at=at, begun_by=by)
        ring_on_commit(events.BOOKS_TASK)
        return check

    # Verbs

    def take(self, comparisons: int) -> bool:
        """Begin with so many comparisons. False if another worker has begun it."""
        waiting = type(self).objects.filter(pk=self.pk, comparisons=0, finished_at=None)
        self.comparisons = comparisons
        return bool(waiting.update(comparisons=comparisons))

    def go_on(self, done: int) -> None:
        """Tell how far it has come."""
        self.done = done
        self.save(update_fields=["done"])

    def fail(self, problem: str, *, at: datetime) -> None:
        """It came to no end."""
        self.problem, self.finished_at = problem, at
        self.save(update_fields=["problem", "finished_at"])

    @transaction.atomic
    def finish(
        self, found: Sequence[tuple[str, str]], sums: Sequence[Any] = (), *, at: datetime
    ) -> None:
        """Keep what it found, sentences and subjects; staff are told if it found anything."""
        self.finished_at, self.sums = at, list(sums)
        self.differences = [sentence for sentence, _ in found]
        self.subjects = [subject for _, subject in found]
        self.save(update_fields=["finished_at", "sums", "differences", "subjects"])
        if found:
            events.books_differed.record(
                self,
                by=None,
                at=at,
                organization=Organization.objects.platform(),
                number=len(found),
                first=self.first_difference,
            )

    # Properties

    @property
    def is_running(self) -> bool:
        return self.finished_at is None

    @property
    def is_clean(self) -> bool:
        return not (self.is_running or self.problem or self.differences)

    @property
    def first_difference(self) -> str:
        return str(self.differences[0]) if self.differences else ""


@transaction.atomic
def report_contradiction(subject: Any, found: str, *, at: datetime) -> None:
    """Tell staff, once, that the gateway and the books say different things about `subject`, which
    is a row of some connection.
    """
    connection, kind = lock(subject.connection), events.gateway_contradicted
    if Event.objects.about(subject).filter(code=kind.code).exists():
        return
    kind.record(
        subject,
        by=None,
        at=at,
        organization=Organization.objects.platform(),
        connection=connection,
        found=found,
        provider=connection.provider.name,
        customer=connection.customer.name,
    )
