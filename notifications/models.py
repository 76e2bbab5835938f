"""Who was told of an event: a notification for each person, a delivery for each mail."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.lookups import IsNull

from connections.kinds import Category
from connections.models import Connection, Event, Organization, User
from notifications import events
from revampd.kit.constraints import no_truncate
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock

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
        return self.select_related(
            "event__organization", "organization", "connection__provider", "connection__customer"
        )

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
            models.Index(
                "recipient", IS_UNREAD.desc(), models.F("id").desc(), name="notification_pinned"
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


# How long after the first, second, ... failed attempt the next one is made.
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360)]


class AlreadyOnItsWay(Conflict):
    """Only a mail that failed is sent again."""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        return self.filter(state=Delivery.State.QUEUED, due_at__lte=at)

    def claimed(self) -> Self:
        """Those that no other worker is sending, held until the transaction ends."""
        rows = self.select_for_update(skip_locked=True, of=("self",))
        return rows.order_by("due_at", "event_id", "id")

    def about(self, subject: models.Model) -> Self:
        """The mails about an object, newest first, as its page shows them."""
        label, key = subject._meta.label_lower, str(subject.pk)
        rows = self.filter(event__subject_type=label, event__subject_id=key)
        return rows.order_by("-event_id", "address")

    def failed(self) -> Self:
        return self.filter(state__in=[Delivery.State.FAILED, Delivery.State.BOUNCED])

    def with_words(self) -> Self:
        """Read with everything that writing the mail needs."""
        return self.select_related(
            "event__organization", "notification__organization", "notification__recipient"
        )


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
            # Few fail: to ask which requests they were about does not read all that were sent.
            models.Index(
                fields=["event"],
                condition=Q(state__in=["FAILED", "BOUNCED"]),
                name="delivery_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_state_display()}"

    # Verbs. The worker that sends holds the row.

    def mark_sent(self, *, at: datetime) -> None:
        self._attempted(state=self.State.SENT, sent_at=at, reason="")

    def refuse(self, reason: str) -> None:
        """The mail will never arrive: it fails at once."""
        self._attempted(state=self.State.FAILED, reason=reason[:500])

    def postpone(self, reason: str, *, at: datetime) -> None:
        """Try again later, each time after a longer while; after the last attempt it has failed."""
        if self.attempts >= len(RETRY_AFTER):
            self.refuse(reason)
        else:
            due_at = at + RETRY_AFTER[self.attempts]
            self._attempted(state=self.State.QUEUED, due_at=due_at, reason=reason[:500])

    def _attempted(self, **outcome: Any) -> None:
        self._write(attempts=self.attempts + 1, **outcome)

    def _write(self, **values: Any) -> None:
        for field, value in values.items():
            setattr(self, field, value)
        self.save(update_fields=list(values))

    @transaction.atomic
    def send_again(self, *, by: User, at: datetime) -> None:
        """Queue a mail that failed once more, from the first attempt on. Raises AlreadyOnItsWay."""
        delivery = lock(self)
        if not delivery.has_failed:
            raise AlreadyOnItsWay(f"The mail to {delivery.address} has not failed.")
        delivery._write(state=self.State.QUEUED, attempts=0, due_at=at, sent_at=None, reason="")
        events.delivery_repeated.record(
            delivery,
            by=by,
            at=at,
            organization=delivery.event.organization,
            connection=delivery.event.connection,
            address=delivery.address,
        )
        ring_on_commit(events.SEND_TASK)

    # Properties

    @property
    def has_failed(self) -> bool:
        return self.state in (self.State.FAILED, self.State.BOUNCED)

    @property
    def tone(self) -> str:
        return {"SENT": "good", "QUEUED": "plain"}.get(self.state, "bad")
