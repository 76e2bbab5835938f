"""What happened: one row a change of state, written in the same transaction."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from revampd.kit.constraints import AppendOnly
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, *subjects: models.Model) -> Self:
        """The history of these objects."""
        wanted = Q(pk__in=[])
        for subject in subjects:
            wanted |= Q(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
        return self.filter(wanted)

    def with_actors(self) -> Self:
        return self.select_related("actor")

    def newest_first(self) -> Self:
        return self.order_by("-at", "-id")


class Event(AppendOnly):
    """Who did what, for which organization, when and from where, with the facts as they were.

    It is the audit trail, the timeline of a page and the source of every notification. `code`
    names an `EventKind`; kinds stand in each app's `events`.
    """

    code = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    recorded_at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    organization = models.ForeignKey(
        "connections.Organization",
        on_delete=models.PROTECT,
        related_name="events",
        db_index=False,
    )
    connection = models.ForeignKey(
        "connections.Connection",
        on_delete=models.PROTECT,
        null=True,
        related_name="events",
        db_index=False,
    )
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    origin = models.JSONField(default=dict)

    objects: ClassVar[Any] = EventQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-at"], name="event_subject"),
            models.Index(fields=["connection", "-at"], name="event_connection"),
            models.Index(fields=["organization", "-at"], name="event_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.code} #{self.pk}"


def history_of(subjects: Iterable[models.Model]) -> list[Event]:
    """What happened to these objects, newest first, read with who did it."""
    wanted = {(subject._meta.label_lower, str(subject.pk)) for subject in subjects}
    kinds, keys = (array_of(set(part)) for part in zip(*wanted, strict=True))
    # What has the key of one and the kind of another is none of them.
    return [e for e in _history(kinds, keys) if (e.subject_type, e.subject_id) in wanted]


@prepared
def _history(kinds: Any, keys: Any) -> models.QuerySet[Event]:
    of_them = among("subject_type", kinds, type="text"), among("subject_id", keys, type="text")
    events: models.QuerySet[Event] = Event.objects.filter(*of_them).with_actors().newest_first()
    return events


class OutboxQuerySet(models.QuerySet["Outbox"]):
    def waiting(self) -> Self:
        return self.filter(problem="")

    def claimed(self, count: int) -> Self:
        """The oldest `count` that no other worker holds, held until the transaction ends."""
        free = self.waiting().select_for_update(skip_locked=True, of=("self",))
        return free.order_by("event_id")[:count]


class Outbox(models.Model):
    """An event of which nobody has been told yet. Draining it deletes the row.

    One that cannot be told is set aside with its `problem`, so that it keeps nobody else waiting;
    it stays until somebody has mended the cause and asks for it again.
    """

    event = models.OneToOneField(
        Event, on_delete=models.PROTECT, primary_key=True, related_name="outbox"
    )
    problem = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return f"outbox of event {self.event_id}"

    def release(self) -> None:
        """Let it be told again. Doing it to one that waits changes nothing."""
        self.problem = ""
        self.save(update_fields=["problem"])
