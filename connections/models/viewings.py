"""Staff who look at the pages as one of the people: who, as whom, why and how long."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q

from connections import events
from revampd.kit.constraints import no_truncate
from revampd.kit.errors import Invalid, NotAllowed
from revampd.kit.ids import growing_id

from .people import User

REASON_LENGTH = 200


class ViewingQuerySet(models.QuerySet["Viewing"]):
    def open(self) -> Self:
        """Those that nobody has ended yet, also if their time is over."""
        return self.filter(ended_at=None)

    def overdue(self, at: datetime) -> Self:
        return self.open().filter(until__lte=at)


class Viewing(models.Model):
    """A member of staff sees what `person` sees, and can change nothing: connections/viewing.py.

    It is over at `until` at the latest. Beginning and end are events of every organization of the
    person. Instants are real time.
    """

    id = models.UUIDField(primary_key=True, default=growing_id, editable=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=REASON_LENGTH)
    started_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    mutable = ("ended_at",)

    objects: ClassVar[Any] = ViewingQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("view_as", "Can look at the pages as a member")]
        constraints = [
            models.UniqueConstraint(
                fields=["staff"], condition=Q(ended_at=None), name="viewing_one_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(staff=F("person")), name="viewing_of_another"),
            models.CheckConstraint(condition=~Q(reason=""), name="viewing_reason"),
            models.CheckConstraint(
                condition=Q(until__gt=F("started_at"))
                & (Q(ended_at=None) | Q(ended_at__gte=F("started_at"))),
                name="viewing_times",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="ended_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"{self.staff} as {self.person}"

    # Factories

    @classmethod
    @transaction.atomic
    def begin(cls, person: User, *, reason: str, by: User, at: datetime) -> "Viewing":
        """Look at the pages as `person`; what `by` looked at before is ended.

        Raises NotAllowed to who may not, and for people who are staff; Invalid without a reason.
        """
        if not by.has_perm("connections.view_as"):
            raise NotAllowed("Your role does not allow to look at pages as somebody else.")
        if person.is_staff or person.is_superuser:
            raise NotAllowed(f"{person} is staff. You can look only as a member.")
        if not (person.is_active and person.organizations):
            raise NotAllowed(f"{person} belongs to no organization, or the account is closed.")
        if not (reason := reason.strip()):
            raise Invalid("Say why: it is kept.", field="reason")
        staff = User.objects.select_for_update(no_key=True).get(pk=by.pk)
        for before in cls.objects.open().filter(staff=staff):
            before.end(at=at)
        viewing: Viewing = cls.objects.create(
            staff=staff,
            person=person,
            reason=reason,
            started_at=at,
            until=at + timedelta(minutes=settings.VIEW_AS_MINUTES),
        )
        viewing._record(events.viewing_begun)
        return viewing

    # Verbs

    @transaction.atomic
    def end(self, *, at: datetime) -> None:
        """Look no more. Ending what has ended changes nothing."""
        last = min(at, self.until)
        if type(self).objects.open().filter(pk=self.pk).update(ended_at=last):
            self.ended_at = last
            self._record(events.viewing_ended)

    def _record(self, kind: Any) -> None:
        for membership in self.person.belongs_to:
            kind.record(
                self,
                by=self.staff,
                organization=membership.organization,
                person=self.person.name,
                reason=self.reason,
            )
