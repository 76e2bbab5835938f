"""Escalating a Sub-Org's ticket to Revampd and taking it back: one conversation, three sides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from connections.models import Connection, User
from revampd.kit.errors import Conflict, NotAllowed
from tickets import events

from .attachments import Attachment
from .messages import Audience, Message, Side
from .records import TicketRecord
from .talk import Talk


class StillEscalated(Conflict):
    """What is with Revampd is taken back first."""


class NotEscalated(Conflict):
    """Somebody was faster, or it never was."""


class Escalation(Talk):
    """The verbs of a Partner and Revampd, and what they share with the others."""

    class Meta(TicketRecord.Meta):
        abstract = True

    # Verbs

    @transaction.atomic
    def escalate(
        self, body: str, *, by: User, at: datetime, files: Sequence[Attachment] = ()
    ) -> None:
        """Ask Revampd for help. It reads what everybody reads, and what both write to each other.

        The customer is told nothing: its conversation goes on. Raises Closed, StillEscalated,
        Invalid, NotAllowed.
        """
        self._hold()
        self._guard_provider(by, Side.PROVIDER)
        self.guard_open()
        self._guard_here()
        above = self._above()
        text = self._guard_text(body)
        owner = above.support_owner
        self.revampd_until = None
        self.escalated_over, self.revampd_at = above, at
        self.revampd_assignee = owner.user if owner else None
        self.revampd_length = self._shared_so_far()
        self.save(
            update_fields=[
                *("revampd_until", "escalated_over", "revampd_at"),
                *("revampd_assignee", "revampd_length"),
            ]
        )
        self._shift("escalated this to Revampd", by, at)
        self._speak(text, Side.PROVIDER, Audience.ESCALATION, by, at, files)
        to: dict[str, Any] = {"side": Side.PROVIDER, "to": Side.REVAMPD, "said": text}
        self._record_above(events.escalation_begun, by=by, at=at, **to)

    @transaction.atomic
    def consult(
        self,
        body: str,
        *,
        side: str,
        by: User,
        at: datetime,
        files: Sequence[Attachment] = (),
        key: UUID | None = None,
    ) -> None:
        """What the Partner and Revampd write to each other; the customer never reads it.

        Raises NotEscalated, Invalid, NotAllowed.
        """
        self._hold()
        if side == Side.CUSTOMER:
            raise NotAllowed("Only who answers a ticket writes about it.")
        self._guard_writer(by, side)
        if not self.is_escalated:
            raise NotEscalated("This ticket is not with Revampd.")
        text = self._guard_text(body)
        if not self._speak(text, side, Audience.ESCALATION, by, at, files, key):
            return
        if side == Side.PROVIDER:
            kind, to = events.escalation_asked, Side.REVAMPD
        else:
            kind, to = events.escalation_answered, Side.PROVIDER
        self._record_above(kind, by=by, at=at, side=side, to=to, said=text)

    @transaction.atomic
    def take_back(self, *, by: User, at: datetime) -> None:
        """Look after it alone again. Revampd keeps what it has read, and reads no further.

        Raises NotEscalated, NotAllowed.
        """
        self._hold()
        self._guard_provider(by, Side.PROVIDER)
        if not self.is_escalated:
            raise NotEscalated(f"Ticket {self.reference} is not with Revampd.")
        self._shift("took this back from Revampd", by, at)
        to: dict[str, Any] = {"side": Side.PROVIDER, "to": Side.REVAMPD}
        self._record_above(events.escalation_ended, by=by, at=at, **to)
        self.revampd_until = self.length
        self.save(update_fields=["revampd_until"])

    # What verbs share

    def _speak(
        self,
        text: str,
        side: str,
        audience: str,
        by: User,
        at: datetime,
        files: Sequence[Attachment],
        key: UUID | None = None,
    ) -> bool:
        """Add what somebody wrote. False if the same form was sent before."""
        if key and Message.objects.visible_to(side).filter(pk=key, ticket=self.pk).exists():
            return False
        said: dict[str, Any] = {"side": side, "audience": audience, "files": files, "key": key}
        self._say(Message.Kind.MESSAGE, text, by=by, at=at, **said)
        return True

    def _shift(self, words: str, by: User, at: datetime) -> None:
        self._say(
            Message.Kind.ESCALATION,
            words,
            side=Side.PROVIDER,
            audience=Audience.ESCALATION,
            by=by,
            at=at,
        )

    def _above(self) -> Connection:
        """The connection over which the Partner buys from Revampd. Raises NotAllowed."""
        rows = Connection.objects.select_related("provider", "customer", "support_owner__user")
        above = rows.filter(customer=self.provider_id, provider__kind="PLATFORM").first()
        if above is None:
            raise NotAllowed("Only a Partner escalates tickets, to Revampd.")
        found: Connection = above
        return found

    def _shared_so_far(self) -> int:
        """How many messages Revampd will find there."""
        own = Message.objects.filter(ticket=self.pk)
        shared = own.visible_to(Side.PROVIDER).exclude(audience=Audience.INTERNAL)
        # And what it noted for itself when the ticket was escalated before.
        noted = own.visible_to(Side.REVAMPD).filter(audience=Audience.INTERNAL)
        return int(shared.count() + noted.count())

    # Guards

    def _guard_provider(self, by: User, side: str) -> None:
        if side != Side.PROVIDER:
            raise NotAllowed(f"Only {self.connection.provider} can do this.")
        self._guard_writer(by, side)

    def _guard_here(self) -> None:
        if self.is_escalated:
            raise StillEscalated(
                f"Ticket {self.reference} is with Revampd.", next_step="Take it back first."
            )
