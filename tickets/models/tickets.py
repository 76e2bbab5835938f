"""Tickets: a conversation of a customer with its provider, and what can be done with it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from connections.kinds import in_words, kind_of
from connections.models import Connection, Event, User
from revampd.kit.errors import Invalid, NotAllowed
from revampd.kit.locking import lock
from tickets import events

from .attachments import Attachment
from .messages import BODY_LENGTH, Audience, Message, Side
from .records import TITLE_LENGTH, Priority, Status, TicketRecord
from .standing import Standing
from .unread import Unread

Files = Sequence[Attachment]


class Ticket(Standing):
    """What a customer asks. Every verb says from which side somebody acts."""

    class Meta(TicketRecord.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    # Factories

    @classmethod
    @transaction.atomic
    def submit(
        cls,
        connection: Connection,
        *,
        title: str,
        body: str,
        by: User,
        at: datetime,
        priority: str = Priority.MEDIUM,
        files: Files = (),
        key: UUID | None = None,
    ) -> "Ticket":
        """A customer asks; the support owner looks after it. Raises Invalid, NotAllowed.

        `key` becomes its id: a form that is sent twice gives the ticket of the first time.
        """
        locked = lock(connection)
        connection.customer.require_supporter(by)
        if sent := key and cls.objects.filter(pk=key).first():
            return cls._sent_before(sent, connection)
        text, owner = cls._guard_text(body), locked.support_owner
        ticket = cls(
            connection=connection,
            provider=connection.provider,
            number=cls.objects.filter(connection=connection).count() + 1,
            title=cls._guard_title(title),
            priority=cls._guard_priority(priority),
            opened_by=by,
            opened_at=at,
            assignee=owner.user if owner else None,
            customer_at=at,
            provider_at=at,
        )
        ticket.pk = key or ticket.pk
        ticket.save(force_insert=True)
        ticket._speak(text, Side.CUSTOMER, Audience.EVERYONE, by, at, files)
        ticket._record(events.ticket_submitted, by=by, at=at, side=Side.CUSTOMER, said=text)
        return ticket

    @staticmethod
    def _sent_before(sent: "Ticket", connection: Connection) -> "Ticket":
        if sent.connection_id != connection.pk:
            raise Invalid("Something went wrong with this form. Send it once more.")
        return sent

    # Verbs

    @transaction.atomic
    def reply(
        self,
        body: str,
        *,
        side: str,
        by: User,
        at: datetime,
        files: Files = (),
        key: UUID | None = None,
    ) -> None:
        """Write what everybody reads. The customer's reply to a resolved ticket opens it again.

        Raises Closed, Invalid, NotAllowed.
        """
        self._hold()
        self._guard_writer(by, side)
        self.guard_open()
        text = self._guard_text(body)
        if not self._speak(text, side, Audience.EVERYONE, by, at, files, key):
            return
        is_asked = side == Side.CUSTOMER
        reopens = is_asked and self.status == Status.RESOLVED
        if reopens:
            self._change("status", Status.OPEN, "reopened this by replying", side, by, at)
        kind = events.ticket_replied if is_asked else events.ticket_answered
        heard = self._record(kind, by=by, at=at, side=side, said=text)
        if is_asked and self.is_escalated:
            self._record_above(
                events.escalation_continued,
                by=by,
                at=at,
                side=Side.PROVIDER,
                to=Side.REVAMPD,
                said=text,
                but=heard,
            )
        if reopens:
            self._record(events.ticket_reopened, by=by, at=at, side=side)

    @transaction.atomic
    def note(
        self,
        body: str,
        *,
        side: str,
        by: User,
        at: datetime,
        files: Files = (),
        key: UUID | None = None,
    ) -> None:
        """Write what only one's own side reads, also once it is closed. Raises Invalid, NotAllowed.

        A customer has no notes: what it writes is for everybody.
        """
        self._hold()
        if side == Side.CUSTOMER:
            raise NotAllowed("Only who answers a ticket leaves notes in it.")
        self._guard_writer(by, side)
        text = self._guard_text(body)
        if self._speak(text, side, Audience.INTERNAL, by, at, files, key):
            self._record_within(events.ticket_annotated, by=by, at=at, side=side)

    @transaction.atomic
    def follow(self, event: Event, *, is_offer: bool) -> None:
        """An offer was made inside the ticket, or it came to an end: say so in its own words."""
        self._hold()
        of_customer = event.organization_id == self.connection.customer_id
        words = in_words(kind_of(event).sentence, event)
        note = event.facts.get("decision_note") or ""
        self._say(
            Message.Kind.OFFER if is_offer else Message.Kind.DECISION,
            f"{words}\n{note}".strip()[:BODY_LENGTH],
            side=Side.CUSTOMER if of_customer else Side.PROVIDER,
            audience=Audience.EVERYONE,
            by=event.actor,
            at=event.at,
            event=event,
        )

    @transaction.atomic
    def read(self, *, side: str, by: User, until: int) -> None:
        """`by` has seen the first `until` messages of their side. What came later stays unread."""
        begun = Unread.objects.of(by).filter(ticket=self, since__lte=until)
        if not begun.exists():
            return
        self._hold()
        if until >= self.length_for(side):
            begun.delete()
        else:
            begun.update(since=until + 1)

    # Guards

    @staticmethod
    def _guard_title(title: str) -> str:
        text = " ".join(title.split())
        if not text:
            raise Invalid("Say in a few words what it is about.", field="title")
        if len(text) > TITLE_LENGTH:
            raise Invalid(f"Keep it under {TITLE_LENGTH} characters.", field="title")
        return text
