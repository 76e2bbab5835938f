"""What gateways tell us: every verified webhook is stored once, then worked off."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Q

from billing import events
from billing.gateways.base import Notice
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict

# How long one that was taken is left to whoever took it.
LEASE = timedelta(minutes=1)


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def waiting(self) -> Self:
        return self.filter(processed_at__isnull=True, problem="")


class GatewayEvent(models.Model):
    """A webhook as it was received. It only rings: the truth is asked of the gateway.

    `inbox` is the task that follows it; `subject` and `reference` are what it is about in the words
    of the gateway, `key` in ours. `problem` is why it was set aside for staff, `note` why it needed
    nothing.
    """

    inbox = models.CharField(max_length=60, default=events.WEBHOOK_TASK)
    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=80)
    subject = models.CharField(max_length=10, blank=True, default="", db_default="")
    reference = models.CharField(max_length=255, blank=True, default="", db_default="")
    key = models.UUIDField(null=True)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)
    problem = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = GatewayEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["inbox", "gateway", "event_id"], name="gateway_event_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["inbox", "id"],
                condition=Q(processed_at__isnull=True, problem=""),
                name="gateway_event_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind} {self.event_id}"

    # Factories

    @classmethod
    @transaction.atomic
    def keep(cls, notice: Notice, *, inbox: str, gateway: str, body: bytes, at: datetime) -> None:
        """Store a verified webhook, once however often it comes, and wake a worker."""
        event = cls(
            inbox=inbox,
            gateway=gateway,
            event_id=notice.event_id,
            kind=notice.type[:80],
            subject=notice.subject,
            reference=notice.reference[:255],
            key=notice.key,
            body=body,
            received_at=at,
        )
        cls.objects.bulk_create([event], ignore_conflicts=True)
        ring_on_commit(inbox)

    @classmethod
    @transaction.atomic
    def take(cls, inbox: str = events.WEBHOOK_TASK, *, at: datetime) -> "GatewayEvent | None":
        """The oldest one of an inbox that nobody has in hand. It comes back if its taker dies."""
        free = Q(taken_at=None) | Q(taken_at__lte=at - LEASE)
        rows = cls.objects.waiting().filter(free, inbox=inbox).select_for_update(skip_locked=True)
        event: GatewayEvent | None = rows.order_by("pk").first()
        if event:
            event.taken_at = at
            event.save(update_fields=["taken_at"])
        return event

    # Verbs

    def finish(self, note: str, *, at: datetime) -> None:
        self.processed_at, self.note = at, note
        self.save(update_fields=["processed_at", "note"])

    def set_aside(self, problem: str) -> None:
        """Nobody looks at it again but staff."""
        self.problem = problem[:500]
        self.save(update_fields=["problem"])

    @transaction.atomic
    def release(self) -> None:
        """Staff have seen to it: a worker looks at it again. Raises Conflict if it does anyway."""
        aside = type(self).objects.filter(pk=self.pk).exclude(problem="")
        if not aside.update(problem="", taken_at=None):
            raise Conflict("This was not set aside.")
        ring_on_commit(self.inbox)
