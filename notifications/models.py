"""Who was told of an event: a notification for each person, a delivery for each mail."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from connections.kinds import Category
from connections.models import Connection, Event, Organization, User
from revampd.kit.constraints import no_truncate


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user: User) -> Self:
        return self.filter(recipient=user)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def pinned_first(self) -> Self:
        """Unread ones on top, newest first."""
        return self.order_by(models.F("read_at").asc(nulls_first=True), "-id")

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

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="notifications")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notifications"
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
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
            models.Index(fields=["recipient", "-id"], name="notification_of_recipient"),
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

    @property
    def is_unread(self) -> bool:
        return self.read_at is None


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        return self.filter(state=Delivery.State.QUEUED, due_at__lte=at)


class Delivery(models.Model):
    """One mail to one address about one event, and what became of it."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Queued"
        SENT = "SENT", "Sent"
        FAILED = "FAILED", "Failed"
        BOUNCED = "BOUNCED", "Bounced"

    # The Message-ID of the mail, so that a mail sent twice is recognized as one.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries")
    notification = models.OneToOneField(
        Notification, on_delete=models.PROTECT, null=True, related_name="delivery"
    )
    address = models.EmailField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "address"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state="SENT", sent_at__isnull=False)
                | Q(state__in=["FAILED", "BOUNCED"])
                | Q(state="QUEUED", sent_at__isnull=True),
                name="delivery_state",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="QUEUED"), name="delivery_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_state_display()}"
