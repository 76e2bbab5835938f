"""Saying something in a ticket: the message, its files, what is new to whom, who is told."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from connections.kinds import EventKind
from connections.models import Connection, Event, Membership, Organization, User
from revampd.kit.errors import Conflict, Invalid, NotAllowed
from revampd.kit.ids import growing_id
from revampd.kit.locking import lock

from .attachments import Attachment
from .messages import BODY_LENGTH, Audience, Message, Side
from .records import TicketRecord
from .unread import Unread

EXCERPT = 600


class Closed(Conflict):
    """A closed ticket stays closed."""


class Talk(TicketRecord):
    """What all verbs of a ticket do the same way."""

    class Meta(TicketRecord.Meta):
        abstract = True

    def _hold(self) -> None:
        """Lock the row and see it as it stands now."""
        held = lock(self)
        for name in self.mutable:
            attname = self._meta.get_field(name).attname  # type: ignore[union-attr]
            setattr(self, attname, getattr(held, attname))

    def _say(
        self,
        kind: str,
        body: str,
        *,
        side: str,
        audience: str,
        by: User | None,
        at: datetime,
        files: Sequence[Attachment] = (),
        event: Event | None = None,
        key: UUID | None = None,
    ) -> Message:
        """Add a message; the row is held. Whoever writes has read what stood there."""
        message = Message(
            pk=key or growing_id(),
            ticket_id=self.pk,
            position=self.length + 1,
            kind=kind,
            side=side,
            audience=audience,
            author=by,
            body=body,
            event=event,
            at=at,
        )
        message.save(force_insert=True)
        for file in files:
            file.message = message
        Attachment.objects.bulk_create(files)
        self.refresh_from_db(fields=[f for f in self.mutable if f.endswith(("length", "_at"))])
        if kind not in Message.QUIET:
            Unread.objects.write(self._news(message))
        if by:
            Unread.objects.of(by).filter(ticket=self.pk).delete()
        return message

    def _news(self, message: Message) -> Iterable[Unread]:
        """For everybody who may read the message, as a member of the side that they see it from."""
        seats = {
            organization.pk: (number, connection.pk, self.length_for(side))
            for number, (side, organization, connection) in enumerate(self._seats())
            if _reads(side, message)
        }
        rows = Membership.objects.filter(organization__in=seats).exclude(user=message.author)
        members = rows.values_list("user_id", "organization_id")
        for user, organization in sorted(members, key=lambda row: seats[row[1]][0]):
            _, connection, since = seats[organization]
            yield Unread(
                ticket_id=self.pk,
                user_id=user,
                organization_id=organization,
                connection_id=connection,
                since=since,
            )

    def _seats(self) -> list[tuple[Side, Organization, Connection]]:
        """The sides, with the organization of each and the connection over which it reads.

        Who belongs to several sees the first, as at the door.
        """
        own = self.connection
        seats = [(Side.PROVIDER, own.provider, own), (Side.CUSTOMER, own.customer, own)]
        if self.is_escalated and self.escalated_over:
            above = self.escalated_over
            seats.insert(1, (Side.REVAMPD, above.provider, above))
        return seats

    # Guards

    def _guard_writer(self, by: User, side: str) -> None:
        """Raises NotAllowed unless `by` may write for this side."""
        for there, organization, _ in self._seats():
            if there == side:
                organization.require_supporter(by)
                return
        raise NotAllowed(
            f"{self.connection.provider} has taken this ticket back.",
            next_step="You can still read what you wrote to each other.",
        )

    def guard_open(self) -> None:
        """Raises Closed."""
        if self.is_closed:
            raise Closed(
                f"Ticket {self.reference} is closed and stays so.",
                next_step="Submit a new ticket if there is more to say.",
            )

    @staticmethod
    def _guard_text(body: str) -> str:
        text = body.strip()
        if not text:
            raise Invalid("Write a message.", field="body")
        if len(text) > BODY_LENGTH:
            raise Invalid(f"Keep it under {BODY_LENGTH:,} characters.", field="body")
        return text

    # Telling

    def _record(
        self,
        kind: EventKind,
        *,
        by: User,
        at: datetime,
        side: str,
        said: str = "",
        but: Collection[int] = (),
        **facts: Any,
    ) -> set[int]:
        """Both sides may know of it. The facts stay as they are today.

        Returns the ids of those who hear of it; `but` are those who heard of the same act before.
        """
        concerned = {"to_provider": Side.PROVIDER, "to_customer": Side.CUSTOMER}
        told = {name: self._concerned(other, but) for name, other in concerned.items()}
        facts = told | self._facts(by, said) | {"over": self.connection_id} | facts
        organization = self._organization_of(side)
        kind.record(
            self, by=by, at=at, organization=organization, connection=self.connection, **facts
        )
        tellings = [telling for telling in (kind.provider, kind.customer) if telling]
        return {person for telling in tellings for person in facts[telling.only]}

    def _record_above(
        self,
        kind: EventKind,
        *,
        by: User,
        at: datetime,
        side: str,
        to: str,
        said: str = "",
        but: Collection[int] = (),
        **facts: Any,
    ) -> None:
        """Between the Partner and Revampd: it stands on their connection, and is told to one.

        `but` are those who heard of the same act before.
        """
        above = self.escalated_over
        over = self.connection_id if to == Side.PROVIDER else self.escalated_over_id
        concerned = {"to_provider": Side.PROVIDER, "to_revampd": Side.REVAMPD}
        told = {name: self._concerned(other, but) for name, other in concerned.items()}
        facts = told | self._facts(by, said) | {"over": over} | facts
        organization = self._organization_of(side)
        kind.record(self, by=by, at=at, organization=organization, connection=above, **facts)

    def _record_within(self, kind: EventKind, *, by: User, at: datetime, side: str) -> None:
        """Only the side that did it may know: it stands on no connection."""
        over = self.escalated_over_id if side == Side.REVAMPD else self.connection_id
        facts = self._facts(by, "") | {"to_members": self._concerned(side), "over": over}
        kind.record(self, by=by, at=at, organization=self._organization_of(side), **facts)

    def _facts(self, by: User, said: str) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "title": self.title,
            "priority": self.get_priority_display(),
            "status": self.get_status_display(),
            "customer": self.connection.customer.name,
            "partner": self.connection.provider.name,
            "author": by.name,
            "excerpt": said if len(said) <= EXCERPT else f"{said[: EXCERPT - 1]}…",
        }

    def _organization_of(self, side: str) -> Organization:
        return next(there for name, there, _ in self._seats() if name == side)

    def _concerned(self, side: str, but: Collection[int] = ()) -> list[int]:
        """Whom it concerns there: who looks after it or has asked; without them, all who may.

        None of `but`, in whose place nobody else is told.
        """
        everybody = self._supporters(side)
        return sorted((everybody & self._first(side) or everybody).difference(but))

    def _supporters(self, side: str) -> set[int]:
        """All who may write in it there."""
        seats = {name: organization for name, organization, _ in self._seats()}
        if side not in seats:
            return set()
        rows = Membership.objects.filter(organization=seats[Side(side)]).supporting()
        return set(rows.values_list("user", flat=True))

    def _first(self, side: str) -> set[int | None]:
        if side == Side.PROVIDER:
            return {self.assignee_id}
        if side == Side.REVAMPD:
            return {self.revampd_assignee_id}
        theirs = Message.objects.visible_to(side).filter(ticket=self.pk, side=side)
        return {self.opened_by_id, *theirs.values_list("author", flat=True)}


def _reads(side: Side, message: Message) -> bool:
    """The same rule as `MessageQuerySet.visible_to`, for a message that was just written."""
    if message.audience == Audience.INTERNAL:
        return message.side == side
    return message.audience == Audience.EVERYONE or side != Side.CUSTOMER
