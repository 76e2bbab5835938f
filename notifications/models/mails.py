"""The states of a mail, and how mails are looked up."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from connections.models import Organization

    from .deliveries import Delivery  # noqa: F401 - named in the type of the query set


class State(models.TextChoices):
    QUEUED = "QUEUED", "Queued"
    WAITING = "WAITING", "In the next summary"
    SENT = "SENT", "Sent"
    FAILED = "FAILED", "Failed"
    BOUNCED = "BOUNCED", "Bounced"
    HELD = "HELD", "Held back"
    SKIPPED = "SKIPPED", "Not needed"


FAILURES = [State.FAILED.value, State.BOUNCED.value, State.HELD.value]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        return self.filter(state=State.QUEUED, due_at__lte=at)

    def awaiting_summary(self) -> Self:
        return self.filter(state=State.WAITING, digest=None)

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
        return self.filter(state__in=FAILURES)

    def answered_for_by(self, organization: "Organization") -> Self:
        return self.filter(organization=organization)

    def unheard(self) -> Self:
        """Of those that failed: whose reader has not seen it on the page either."""
        unread = Q(notification=None) | Q(notification__read_at=None)
        return self.failed().filter(unread)

    def with_words(self) -> Self:
        """Read with everything that writing the mail needs."""
        return self.select_related(
            "event__organization",
            "notification__organization",
            "notification__recipient",
            "digest__recipient",
        )

    def release(self, address: str, *, at: datetime) -> None:
        """Let go whatever was held back from an address: what has not been read meanwhile."""
        held = self.filter(address__iexact=address, state=State.HELD)
        held.filter(notification__read_at__isnull=False).update(state=State.SKIPPED)
        held.filter(event__isnull=False, digest__isnull=False).update(
            state=State.WAITING, reason=""
        )
        held.update(state=State.QUEUED, due_at=at, reason="")
