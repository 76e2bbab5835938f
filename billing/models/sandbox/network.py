"""The network between the sandbox and us: what is on its way, and what it swallowed."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from django.db import models
from django.db.models import Q


def new_reference(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"


class Subject(NamedTuple):
    """What a webhook is about: the object, the key it was ordered under if it was, whose it is."""

    reference: str
    key: uuid.UUID | None
    customer: str


class SandboxWebhookQuerySet(models.QuerySet["SandboxWebhook"]):
    def due(self, at: datetime) -> Self:
        rows = self.filter(delivered_at__isnull=True, due_at__lte=at)
        return rows.order_by("due_at", "id")


class SandboxWebhook(models.Model):
    """A webhook on its way. It is signed when it leaves, so that it is never too old."""

    event_id = models.CharField(max_length=40)
    customer = models.CharField(max_length=40)
    body = models.TextField()
    due_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = SandboxWebhookQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(delivered_at__isnull=True),
                name="sandbox_webhook_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.event_id

    # Verbs

    @classmethod
    def queue(
        cls,
        kind: str,
        subject: Subject,
        *,
        at: datetime,
        due: Sequence[datetime] = (),
    ) -> None:
        """Tell of what happens `at` that moment: then, or at each of the moments in `due`."""
        event_id = new_reference("evt")
        event = {
            "id": event_id,
            "type": kind,
            "created": at.isoformat(),
            "object": {"reference": subject.reference, "key": str(subject.key or "")},
        }
        body = json.dumps(event)
        common = {"event_id": event_id, "customer": subject.customer, "body": body}
        cls.objects.bulk_create(cls(**common, due_at=moment) for moment in due or (at,))

    def mark_delivered(self, *, at: datetime) -> None:
        type(self).objects.filter(pk=self.pk).update(delivered_at=at)


class SandboxLostRequest(models.Model):
    """A request that the network swallowed: the sandbox knows nothing of it. The next arrives."""

    key = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.key)

    @classmethod
    def lose(cls, key: uuid.UUID) -> bool:
        """Lose the first request of `key`: True the first time."""
        _, is_first = cls.objects.get_or_create(key=key)
        return bool(is_first)
