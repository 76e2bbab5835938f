"""How a ticket stands: status, priority, and who looks after it. Every change is in the thread."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from connections.models import Membership, User
from revampd.kit.errors import Invalid, NotAllowed
from tickets import events

from .escalation import Escalation
from .messages import Audience, Message, Side
from .records import Priority, Status, TicketRecord

NOBODY = "nobody"


class Changes(TypedDict, total=False):
    """What triage may change; the assignee may be nobody."""

    assignee: User | None
    priority: str
    status: str


class Standing(Escalation):
    """Triage, and the end of a ticket."""

    class Meta(TicketRecord.Meta):
        abstract = True

    @transaction.atomic
    def triage(self, *, side: str, by: User, at: datetime, **changes: Unpack[Changes]) -> None:
        """Change what is named: all of it or nothing.

        It is one act: whom it is assigned to is told how it stands after all of it, and not of its
        status as well. Raises what the three raise.
        """
        who: dict[str, Any] = {"side": side, "by": by, "at": at}
        heard: set[int] = set()
        if "priority" in changes:
            self.prioritize(changes["priority"], **who)
        if "assignee" in changes:
            # Before the status: of what is closed by then nobody could say who looks after it.
            heard = self.assign(changes["assignee"], then=changes.get("status"), **who)
        if "status" in changes:
            self.set_status(changes["status"], but=heard, **who)

    @transaction.atomic
    def set_status(
        self, status: str, *, side: str, by: User, at: datetime, but: Collection[int] = ()
    ) -> None:
        """Say how it stands; a customer may say that it is resolved. Again changes nothing.

        `but` are the ids of those who heard of the same act before. Raises Closed, NotAllowed,
        StillEscalated, Invalid.
        """
        self._hold()
        self._guard_writer(by, side)
        if status not in Status.values:
            raise Invalid("Choose a status from the list.", field="status")
        if status == self.status:
            return
        self.guard_open()
        if side == Side.REVAMPD or (side == Side.CUSTOMER and status != Status.RESOLVED):
            raise NotAllowed(f"{self.connection.provider} says how this ticket stands.")
        if status == Status.CLOSED:
            self._guard_here()
        label = Status(status).label
        self._change("status", status, f"set the status to {label}", side, by, at)
        kinds = {Status.RESOLVED: events.ticket_resolved, Status.CLOSED: events.ticket_closed}
        kind = kinds.get(Status(status), events.ticket_progressed)
        self._record(kind, by=by, at=at, side=side, but=but)

    @transaction.atomic
    def prioritize(self, priority: str, *, side: str, by: User, at: datetime) -> None:
        """The provider says how urgent it is. Raises Closed, NotAllowed, Invalid."""
        self._hold()
        self._guard_provider(by, side)
        self.guard_open()
        if priority == self.priority:
            return
        label = Priority(self._guard_priority(priority)).label
        self._change("priority", priority, f"set the priority to {label}", side, by, at)
        self._record(events.ticket_prioritized, by=by, at=at, side=side)

    @transaction.atomic
    def assign(
        self, to: User | None, *, side: str, by: User, at: datetime, then: str | None = None
    ) -> set[int]:
        """Say who looks after it: a member of the provider, or of Revampd on its side; or nobody.

        `then` is the status that the same act leaves it in. Returns the ids of those who hear of
        it. Raises Closed, NotAllowed, Invalid.
        """
        self._hold()
        self._guard_writer(by, side)
        self.guard_open()
        if side == Side.CUSTOMER:
            raise NotAllowed(f"{self.connection.provider} says who looks after this ticket.")
        field = "assignee" if side == Side.PROVIDER else "revampd_assignee"
        if getattr(self, f"{field}_id") == (to.pk if to else None):
            return set()
        self._guard_assignee(to, side)
        words = f"assigned this to {to.name if to else NOBODY}"
        self._change(field, to, words, side, by, at)
        return self._tell_assignee(to, side=side, by=by, at=at, then=then)

    def _tell_assignee(
        self, to: User | None, *, side: str, by: User, at: datetime, then: str | None
    ) -> set[int]:
        told = sorted(self._supporters(side) & {to.pk}) if to else []
        facts: dict[str, Any] = {"assignee": to.name if to else NOBODY}
        facts["status"] = dict(Status.choices).get(then or "", self.get_status_display())
        if side == Side.PROVIDER:
            facts["to_provider"] = told
            self._record(events.ticket_assigned, by=by, at=at, side=side, **facts)
        else:
            facts |= {"to_revampd": told, "to": side}
            self._record_above(events.escalation_assigned, by=by, at=at, side=side, **facts)
        return set(told)

    # What they share

    def _change(
        self, field: str, value: Any, words: str, side: str, by: User, at: datetime
    ) -> None:
        """Write a field, and in the thread who did. Of Revampd's own people the Partner reads."""
        setattr(self, field, value)
        self.save(update_fields=[field])
        is_ours = field == "revampd_assignee"
        kinds = {"status": Message.Kind.STATUS, "priority": Message.Kind.PRIORITY}
        audience = Audience.ESCALATION if is_ours else Audience.EVERYONE
        kind = kinds.get(field, Message.Kind.ASSIGNMENT)
        self._say(kind, words, side=side, audience=audience, by=by, at=at)

    # Guards

    @staticmethod
    def _guard_priority(priority: str) -> str:
        if priority not in Priority.values:
            raise Invalid("Choose a priority from the list.", field="priority")
        return priority

    def _guard_assignee(self, to: User | None, side: str) -> None:
        if to is None:
            return
        organization = self._organization_of(side)
        members = Membership.objects.filter(organization=organization, user=to)
        if not (members.exists() or (organization.is_platform and to.is_staff)):
            raise Invalid(f"{to} is not a member of {organization}.", field="assignee")
