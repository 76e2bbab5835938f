"""Everything that can happen to people, organizations and connections, and who hears of it."""

from django.urls import reverse

from .kinds import EVERYONE, OWNERS, Category, EventKind, Telling
from .models.events import Event
from .tokens import invitation_token


def _connection(event: Event) -> str:
    return reverse("overview", args=[event.connection_id])


def _members(event: Event) -> str:
    return reverse("connections:members", args=[event.organization.slug])


def _invitation(event: Event) -> str:
    # The link is made for the mail alone: whoever can read the event cannot read the link.
    return reverse("connections:invitation", args=[invitation_token(event.subject_id)])


person_changed = EventKind("person.changed", "changed their own profile")

account_changed = EventKind("person.account_changed", "changed the account of {person}")
viewing_begun = EventKind("viewing.begun", "began to look as {person}: {reason}")
viewing_ended = EventKind("viewing.ended", "no longer looks as {person}")

organization_founded = EventKind("organization.founded", "founded the organization")
organization_activated = EventKind("organization.activated", "made the organization active")
organization_changed = EventKind("organization.changed", "changed the organization's details")

connection_opened = EventKind("connection.opened", "opened the connection")
connection_activated = EventKind(
    "connection.activated",
    "accepted the connection",
    category=Category.ACCOUNT,
    provider=Telling(
        "{customer} is now connected",
        "Its first owner has come. You can propose plans, add-ons and one-time charges to it.",
        roles=EVERYONE,
    ),
    facts=(("customer", "Sub-Org"),),
    link=_connection,
)
connection_suspended = EventKind(
    "connection.suspended",
    "The connection was suspended: {code} is overdue",
    category=Category.BILLING_MANAGEMENT,
    icon="lock",
    tone="bad",
    provider=Telling(
        "The connection with {customer} is suspended",
        "{code} over {payable} was not paid in time. It comes back by itself once that is paid.",
    ),
    customer=Telling(
        "Your connection with {provider} is suspended",
        "{code} over {payable} was not paid in time. Pay it, and the connection comes back at "
        "once. Your other connections stay as they are.",
        action="Pay the invoice",
    ),
    facts=(("code", "Invoice"), ("payable", "Owed"), ("provider", "Provider")),
    link=_connection,
)
connection_resumed = EventKind(
    "connection.resumed",
    "The connection is active again",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} is active again", "What was overdue is paid."),
    customer=Telling(
        "Your connection with {provider} is active again", "What was overdue is paid. Thank you."
    ),
    facts=(("provider", "Provider"), ("customer", "Customer")),
    link=_connection,
)
connection_assigned = EventKind(
    "connection.assigned", "made {sales} sales owner and {support} support owner"
)

invitation_sent = EventKind(
    "invitation.sent",
    "invited {email} as {role}",
    category=Category.ACCOUNT,
    mail_to="email",
    mailed=Telling(
        "You are invited to {organization_name}",
        "{inviter}, invites you to join as {role}. The link below is yours alone and works until "
        "{expires}.",
        action="See the invitation",
    ),
    facts=(
        ("organization_name", "Organization"),
        ("inviter", "Invited by"),
        ("role", "Role"),
        ("expires", "Open until"),
    ),
    link=_invitation,
)
invitation_accepted = EventKind(
    "invitation.accepted",
    "accepted the invitation as {role}",
    category=Category.ACCOUNT,
    members=Telling(
        "{member} joined {organization_name}",
        "The invitation to {email} was accepted.",
        roles=OWNERS,
    ),
    facts=(("member", "Member"), ("email", "E-mail"), ("role", "Role")),
    link=_members,
)
invitation_withdrawn = EventKind("invitation.withdrawn", "withdrew the invitation to {email}")

member_joined = EventKind("member.joined", "added {member} as {role}")
member_changed = EventKind(
    "member.changed",
    "changed the role of {member} from {before} to {role}",
    category=Category.ACCOUNT,
    members=Telling("{member} is now {role}", "The role was {before} before.", roles=OWNERS),
    facts=(("member", "Member"), ("before", "Before"), ("role", "Role")),
    link=_members,
)
member_left = EventKind(
    "member.left",
    "removed {member}",
    category=Category.ACCOUNT,
    members=Telling("{member} is no longer a member", "The role was {role}.", roles=OWNERS),
    facts=(("member", "Member"), ("role", "Role")),
    link=_members,
)
