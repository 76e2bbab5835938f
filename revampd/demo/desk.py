"""A ticket on the stage: what people write and do in it, one verb of the product a line."""

from dataclasses import dataclass
from typing import Any

from billing.models import BillingRequest
from connections.models import Connection
from revampd.charges import about
from tickets.content import kind_of
from tickets.keeping import Checked, kept
from tickets.models import Side, Ticket

from .deals import Deal
from .people import Person
from .stage import Stage


@dataclass(frozen=True)
class Desk:
    """A ticket, and the stage whose clock it goes by."""

    stage: Stage
    ticket: Ticket

    @classmethod
    def opened(
        cls,
        stage: Stage,
        connection: Connection,
        *,
        by: Person,
        file: tuple[str, bytes] | None = None,
        **details: Any,
    ) -> "Desk":
        with kept(_checked(file)) as attachments:
            ticket = Ticket.submit(
                connection, by=stage.user(by), at=stage.at, files=attachments, **details
            )
        return cls(stage, ticket)

    def reply(self, body: str, *, by: Person, file: tuple[str, bytes] | None = None) -> None:
        with kept(_checked(file)) as attachments:
            self.ticket.reply(body, files=attachments, **self._who(by))

    def note(self, body: str, *, by: Person) -> None:
        self.ticket.note(body, **self._who(by))

    def consult(self, body: str, *, by: Person) -> None:
        self.ticket.consult(body, **self._who(by))

    def escalate(self, body: str, *, by: Person) -> None:
        self.ticket.escalate(body, by=self.stage.user(by), at=self.stage.at)

    def take_back(self, *, by: Person) -> None:
        self.ticket.take_back(by=self.stage.user(by), at=self.stage.at)

    def set_status(self, status: str, *, by: Person) -> None:
        self.ticket.set_status(status, **self._who(by))

    def triage(self, *, by: Person, status: str, priority: str, assignee: Person) -> None:
        who, to = self._who(by), self.stage.user(assignee)
        self.ticket.triage(status=status, priority=priority, assignee=to, **who)

    def offer(self, deal: Deal, item: str, *, by: Person, note: str) -> BillingRequest:
        """A charge for what is asked here."""
        return deal.propose(item, by=by, note=note, about=about(self.ticket))

    def _who(self, by: Person) -> dict[str, Any]:
        """From which side: of those at the ticket, the one to which the person belongs."""
        user = self.stage.user(by)
        mine = set(user.memberships.values_list("organization", flat=True))
        own = self.ticket.connection
        if own.provider_id in mine:
            side = Side.PROVIDER
        else:
            side = Side.CUSTOMER if own.customer_id in mine else Side.REVAMPD
        return {"side": side, "by": user, "at": self.stage.at}


def _checked(file: tuple[str, bytes] | None) -> list[Checked]:
    if file is None:
        return []
    name, content = file
    return [Checked(name, kind_of(name, len(content), content).media_type, content)]
