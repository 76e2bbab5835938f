"""The daily summary: one mail a day and person, whatever runs twice."""

import uuid

from django.conf import settings
from django.db import models


class Digest(models.Model):
    """The summary of one person's day: what it tells of are its deliveries that have an event, and
    the one without is the mail that carries them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="digests"
    )
    day = models.DateField()  # in the recipient's time zone

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "day"], name="digest_one_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient}, {self.day}"
