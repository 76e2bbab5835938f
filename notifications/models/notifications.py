"""Who was told of an event: a notification for each person, never deleted."""

from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.lookups import IsNull

from connections.kinds import Category
from connections.models import Connection, Event, Organization, User
from revampd.kit.constraints import no_truncate

# Pages sort by it and an index holds it, so both must say the same.
IS_UNREAD = IsNull(models.F("read_at"), True)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user: User) -> Self:
        return self.filter(recipient=user)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def pinned_first(self) -> Self:
        """Unread ones on top; newest first above and below."""
        return self.order_by(IS_UNREAD.desc(), "-id")

    def with_parties(self) -> Self:
        """Read with everything that showing them needs."""
        return self.select_related("event__organization", "organization", "connection")

    def mark_read(self, *, at: datetime) -> int:
        """Returns how many were unread."""
        return self.unread().update(read_at=at)


class Notification(models.Model):
    """One person was told of one event, once, in these words. Never deleted.

    `organization` is the one as whose member they were told.
    """

    class Side(models.TextChoices):
        PROVIDER = "PROVIDER", "Provider"
        CUSTOMER = "CUSTOMER", "Customer"
        MEMBER = "MEMBER", "Member"

    mutable = ("read_at",)

    # Indexes that begin with the event, or with the recipient, stand below.
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="notifications", db_index=False
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, null=True, related_name="+"
    )
    side = models.CharField(max_length=8, choices=Side)
    category = models.CharField(max_length=20, choices=Category)
    title = models.CharField(max_length=250)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "recipient"], name="notification_once"),
        ]
        indexes = [
            models.Index(
                "recipient", IS_UNREAD.desc(), models.F("id").desc(), name="notification_pinned"
            ),
            *(
                models.Index(
                    "recipient",
                    narrowed,
                    IS_UNREAD.desc(),
                    models.F("id").desc(),
                    name=f"notification_{narrowed}",
                )
                for narrowed in ("category", "connection")
            ),
            models.Index(
                fields=["recipient", "-id"],
                condition=Q(read_at__isnull=True),
                name="notification_unread",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            no_truncate(),
            pgtrigger.Trigger(
                name="record",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF to_jsonb(OLD) - 'read_at' IS DISTINCT FROM to_jsonb(NEW) - 'read_at' THEN
                        RAISE EXCEPTION 'a notification is a record and never changes'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def read(self, *, at: datetime) -> None:
        """Its recipient has seen it. Doing it again keeps the first time."""
        if type(self).objects.filter(pk=self.pk).mark_read(at=at):
            self.read_at = at

    @property
    def is_unread(self) -> bool:
        return self.read_at is None
