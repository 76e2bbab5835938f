"""Everything that can happen in a ticket, and who hears of it.

What the customer may know is recorded with the ticket's connection, whose timeline both sides see.
What a Partner and Revampd write to each other is recorded with their own connection, and an
internal note with none: it is told to the members of the organization that wrote it.
"""

from django.urls import reverse

from connections.kinds import SUPPORTERS, Category, EventKind, Telling
from connections.models.events import Event

SUPPORT = Category.SUPPORT
FACTS = (
    ("reference", "Ticket"),
    ("title", "About"),
    ("customer", "Customer"),
    ("priority", "Priority"),
    ("status", "Status"),
    ("files", "Files"),
)
ACTION = "Open the ticket"


def _ticket(event: Event) -> str:
    return reverse("tickets:ticket", args=[event.facts["over"], event.subject_id])


def _told(title: str, body: str, to: str) -> Telling:
    """`to` is the fact with the ids of those whom it concerns."""
    return Telling(title, body, action=ACTION, roles=SUPPORTERS, only=to)


ticket_submitted = EventKind(
    "ticket.submitted",
    "submitted ticket {reference}: {title}",
    category=SUPPORT,
    icon="ticket",
    provider=_told("{customer} asks: {title}", "{excerpt}", "to_provider"),
    facts=FACTS,
    link=_ticket,
)
ticket_replied = EventKind(
    "ticket.replied",
    "wrote in ticket {reference}",
    category=SUPPORT,
    icon="message",
    provider=_told("{author} wrote in {reference}: {title}", "{excerpt}", "to_provider"),
    facts=FACTS,
    link=_ticket,
)
ticket_answered = EventKind(
    "ticket.answered",
    "answered ticket {reference}",
    category=SUPPORT,
    icon="message",
    provider=_told("{author} answered {reference}: {title}", "{excerpt}", "to_provider"),
    customer=_told("{author} answered {reference}: {title}", "{excerpt}", "to_customer"),
    facts=FACTS,
    link=_ticket,
)
ticket_annotated = EventKind(
    "ticket.annotated",
    "left an internal note in ticket {reference}",
    category=SUPPORT,
    icon="lock",
    members=_told(
        "{author} left a note in {reference}: {title}",
        "An internal note: {customer} does not see it.",
        "to_members",
    ),
    facts=FACTS,
    link=_ticket,
)
ticket_assigned = EventKind(
    "ticket.assigned",
    "assigned ticket {reference} to {assignee}",
    category=SUPPORT,
    icon="person",
    provider=_told("{reference} is yours: {title}", "{author} assigned it to you.", "to_provider"),
    facts=FACTS,
    link=_ticket,
)
ticket_resolved = EventKind(
    "ticket.resolved",
    "resolved ticket {reference}",
    category=SUPPORT,
    icon="check",
    tone="good",
    provider=_told("{author} resolved {reference}: {title}", "", "to_provider"),
    customer=_told(
        "{author} resolved {reference}: {title}",
        "If something is still wrong, reply: that opens it again.",
        "to_customer",
    ),
    facts=FACTS,
    link=_ticket,
)
ticket_closed = EventKind(
    "ticket.closed",
    "closed ticket {reference}",
    category=SUPPORT,
    icon="lock",
    provider=_told("{author} closed {reference}: {title}", "", "to_provider"),
    customer=_told(
        "{author} closed {reference}: {title}",
        "It stays closed. Submit a new ticket if you need more.",
        "to_customer",
    ),
    facts=FACTS,
    link=_ticket,
)

# For the record: whoever looks at the ticket sees it there.
ticket_progressed = EventKind("ticket.progressed", "set ticket {reference} to {status}")
ticket_reopened = EventKind("ticket.reopened", "reopened ticket {reference}")
ticket_prioritized = EventKind("ticket.prioritized", "gave ticket {reference} {priority} priority")

# Between a Partner and Revampd: the connection of these events is theirs.

escalation_begun = EventKind(
    "escalation.begun",
    "escalated a ticket of {customer} to Revampd: {title}",
    category=SUPPORT,
    icon="flag",
    tone="warn",
    provider=_told(
        "{partner} escalates: {title}",
        "A ticket of {customer}. {excerpt}",
        "to_revampd",
    ),
    facts=FACTS,
    link=_ticket,
)
escalation_asked = EventKind(
    "escalation.asked",
    "wrote to Revampd about a ticket of {customer}",
    category=SUPPORT,
    icon="message",
    provider=_told("{author} wrote about {title}", "{excerpt}", "to_revampd"),
    facts=FACTS,
    link=_ticket,
)
escalation_continued = EventKind(
    "escalation.continued",
    "wrote in an escalated ticket: {title}",
    category=SUPPORT,
    icon="message",
    provider=_told("{author} wrote in {title}", "{excerpt}", "to_revampd"),
    facts=FACTS,
    link=_ticket,
)
escalation_answered = EventKind(
    "escalation.answered",
    "wrote to {partner} about a ticket of {customer}",
    category=SUPPORT,
    icon="message",
    customer=_told(
        "{author} of Revampd wrote about {reference}: {title}", "{excerpt}", "to_provider"
    ),
    facts=FACTS,
    link=_ticket,
)
escalation_assigned = EventKind(
    "escalation.assigned",
    "assigned an escalated ticket to {assignee}",
    category=SUPPORT,
    icon="person",
    provider=_told("Yours now: {title}", "{author} assigned it to you.", "to_revampd"),
    facts=FACTS,
    link=_ticket,
)
escalation_ended = EventKind(
    "escalation.ended",
    "took a ticket of {customer} back from Revampd",
    category=SUPPORT,
    icon="undo",
    provider=_told("{partner} took back: {title}", "It looks after it itself again.", "to_revampd"),
    facts=FACTS,
    link=_ticket,
)
