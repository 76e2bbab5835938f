"""What staff watch over: billing runs, invoices that were stopped, and the check of the books."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from connections.models import Connection


class BillingRun(models.Model):
    """One pass over everything that is due by a day, and how far it has come."""

    on = models.DateField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    connections = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    issued = models.PositiveIntegerField(default=0)
    stopped = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="billing_run_newest")]

    def __str__(self) -> str:
        return f"Billing run of {self.started_at:%d %b %Y, %H:%M}"


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


class BooksCheck(models.Model):
    """One comparison of the ledger with the documents; `differences` is empty if all agree."""

    checked_at = models.DateTimeField()
    differences = models.JSONField(default=list)
    is_clean = models.GeneratedField(
        expression=Q(differences=[]), output_field=models.BooleanField(), db_persist=True
    )

    class Meta:
        indexes = [models.Index(fields=["-checked_at"], name="books_check_newest")]

    def __str__(self) -> str:
        return f"Check of {self.checked_at:%d %b %Y, %H:%M}"

    @property
    def first_difference(self) -> str:
        return str(self.differences[0]) if self.differences else ""
