"""Mails: one row for each, and what became of it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from connections.kinds import Category, in_words, kind_of
from connections.models import Event, Membership, Organization, User
from notifications import events
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock

from .addresses import Undeliverable
from .digests import Digest
from .mails import FAILURES, DeliveryQuerySet, State
from .notifications import Notification

# How long after the first, second, ... failed attempt the next one is made.
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360)]
# A server that does not answer is asked again this often, for as long as it takes.
SERVER_AFTER = timedelta(minutes=1)
REPEAT_AFTER = timedelta(minutes=10)
TONES = {"SENT": "good"} | dict.fromkeys(FAILURES, "bad")


class AlreadyOnItsWay(Conflict):
    """Only a mail that failed is sent again."""


class TooSoon(Conflict):
    """A mail is not sent again and again within minutes."""


class Delivery(models.Model):
    """One mail to one address about one event, and what became of it.

    With a `digest` it goes in that person's daily summary; the row of the digest that has no event
    is the summary itself, and what becomes of it becomes of all of them. `organization` is the one
    that answers for the mail: it sees that it failed, and may send it again.
    """

    State = State

    # The Message-ID of the mail, so that a mail sent twice is recognized as one.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="deliveries")
    notification = models.OneToOneField(
        Notification, on_delete=models.PROTECT, null=True, related_name="delivery"
    )
    digest = models.ForeignKey(
        Digest, on_delete=models.PROTECT, null=True, related_name="deliveries"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    address = models.EmailField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "address"], name="delivery_once"),
            models.UniqueConstraint(
                fields=["digest"], condition=Q(event=None), name="delivery_one_a_digest"
            ),
            models.CheckConstraint(
                condition=Q(event__isnull=False, organization__isnull=False)
                | Q(event=None, notification=None, digest__isnull=False),
                name="delivery_about_something",
            ),
            models.CheckConstraint(
                condition=Q(state="SENT", sent_at__isnull=False)
                | Q(state__in=FAILURES)
                | Q(state__in=["QUEUED", "SKIPPED"], sent_at__isnull=True)
                | Q(state="WAITING", sent_at__isnull=True, notification__isnull=False),
                name="delivery_state",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="QUEUED"), name="delivery_queued"),
            models.Index(
                fields=["due_at"],
                condition=Q(state="WAITING", digest=None),
                name="delivery_waiting",
            ),
            # Few fail: to ask which requests they were about does not read all that were sent.
            models.Index(fields=["event"], condition=Q(state__in=FAILURES), name="delivery_failed"),
            models.Index(
                fields=["organization", "-due_at"],
                condition=Q(state__in=FAILURES),
                name="delivery_failed_of",
            ),
            models.Index(fields=["address"], condition=Q(state="HELD"), name="delivery_held"),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_state_display()}"

    # Verbs. The worker that sends holds the row.

    def mark_sent(self, *, at: datetime) -> None:
        self._attempted(state=State.SENT, sent_at=at, reason="")

    def refuse(self, reason: str) -> None:
        """The mail will never arrive: it fails at once."""
        self._attempted(state=State.FAILED, reason=reason[:500])

    def postpone(self, reason: str, *, at: datetime) -> None:
        """Try again later, each time after a longer while; after the last attempt it has failed."""
        if self.attempts >= len(RETRY_AFTER):
            self.refuse(reason)
        else:
            due_at = at + RETRY_AFTER[self.attempts]
            self._attempted(state=State.QUEUED, due_at=due_at, reason=reason[:500])

    def wait_for_server(self, reason: str, *, at: datetime) -> None:
        """The server takes no mail at all, which is not held against this one."""
        self._write(attempts=max(self.attempts, 1), due_at=at + SERVER_AFTER, reason=reason[:500])

    def hold(self, reason: str) -> None:
        """Keep it back: its address bounces."""
        self._write(state=State.HELD, reason=reason)

    def skip(self) -> None:
        """There is nothing left to tell."""
        self._write(state=State.SKIPPED, reason="")

    @transaction.atomic
    def bounce(self, reason: str, *, at: datetime, is_permanent: bool) -> bool:
        """It came back. For good, nothing more goes to its address, and whoever answers for it is
        told. False if that is known, or it was not sent."""
        delivery = lock(self)
        if delivery.state != State.SENT:
            return False
        delivery._write(state=State.BOUNCED, reason=reason[:500])
        if is_permanent and Undeliverable.mark(delivery.address, reason, at=at):
            for organization in delivery._organizations():
                events.address_bounced.record(
                    delivery, by=None, at=at, organization=organization,
                    address=delivery.address, reason=reason,
                )  # fmt: skip
        return True

    @transaction.atomic
    def send_again(self, *, by: User, at: datetime) -> None:
        """Queue a mail that failed once more, from the first attempt on, and whatever was held back
        from its address. Raises AlreadyOnItsWay, TooSoon."""
        delivery, now = lock(self), timezone.now()  # mail goes by real time
        delivery._guard_repetition(now)
        delivery._write(
            state=State.QUEUED, attempts=0, due_at=now, sent_at=None, reason="", repeated_at=now
        )
        if delivery.event_id and delivery.digest_id:
            delivery._write(digest=None)  # the summary has left: this one goes alone
        Undeliverable.lift(delivery.address)
        type(self).objects.release(delivery.address, at=now)
        for organization in delivery._organizations()[:1]:
            events.delivery_repeated.record(
                delivery, by=by, at=at, organization=organization, address=delivery.address
            )
        ring_on_commit(events.SEND_TASK)

    def _guard_repetition(self, at: datetime) -> None:
        if not self.has_failed:
            raise AlreadyOnItsWay(f"The mail to {self.address} has not failed.")
        if self.repeated_at and at < self.repeated_at + REPEAT_AFTER:
            raise TooSoon(
                f"The mail to {self.address} was sent again a moment ago.",
                next_step="Wait ten minutes, or ask them for another address.",
            )

    def _attempted(self, **outcome: Any) -> None:
        self._write(attempts=self.attempts + 1, **outcome)

    def _write(self, **values: Any) -> None:
        """What becomes of a summary becomes of everything in it."""
        before = self.state
        for field, value in values.items():
            setattr(self, field, value)
        self.save(update_fields=list(values))
        if self.is_summary and self.state != before:
            of_parts = {State.QUEUED.value: State.WAITING.value}
            self.parts.filter(state=of_parts.get(before, before)).update(
                state=of_parts.get(self.state, self.state),
                sent_at=self.sent_at,
                reason=self.reason,
            )

    # Queries

    def may_be_sent_by(self, member: Membership) -> bool:
        """Whether a member of the organization that answers for it may send it again: who bills
        any mail, who answers tickets what is told of them."""
        is_of_tickets = not self.is_summary and kind_of(self.told).category is Category.SUPPORT
        return member.may_bill or (member.may_support and is_of_tickets)

    @property
    def parts(self) -> DeliveryQuerySet:
        """What a summary tells of."""
        rows: DeliveryQuerySet = type(self).objects.filter(digest=self.digest_id)
        return rows.exclude(event=None)

    def _organizations(self) -> list[Organization]:
        """Those that answer for it, or for what is in it."""
        if not self.is_summary:
            return [cast(Organization, self.organization)]
        return list(Organization.objects.filter(pk__in=self.parts.values("organization")))

    # Properties

    @property
    def about(self) -> str:
        """What it tells, in a line."""
        if self.is_summary:
            return "Daily summary"
        return (
            self.notification.title
            if self.notification
            else in_words(kind_of(self.told).sentence, self.told)
        )

    @property
    def told(self) -> Event:
        """What it tells of. For anything but a summary."""
        return cast(Event, self.event)

    @property
    def row(self) -> Notification:
        """The notification that it goes with. For anything but a summary or a stranger's mail."""
        return cast(Notification, self.notification)

    @property
    def is_summary(self) -> bool:
        return self.event_id is None

    @property
    def has_failed(self) -> bool:
        return self.state in FAILURES

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "plain")
