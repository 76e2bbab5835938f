"""What gateways tell us: every verified webhook is stored once, then worked off."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def waiting(self) -> Self:
        return self.filter(processed_at__isnull=True, problem="")

    def claimed(self, count: int) -> Self:
        """The oldest `count` that no other worker holds, held until the transaction ends."""
        return self.waiting().select_for_update(skip_locked=True).order_by("pk")[:count]


class GatewayEvent(models.Model):
    """A webhook as it was received. It only rings: the truth is asked of the gateway."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=80)
    key = models.UUIDField(null=True)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = GatewayEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="gateway_event_once"),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(processed_at__isnull=True, problem=""),
                name="gateway_event_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind} {self.event_id}"
