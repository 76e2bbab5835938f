"""People, organizations, who is connected to whom, and what happened."""

from .connections import Connection
from .events import Event, Outbox
from .invitations import Invitation
from .memberships import Membership, Role
from .organizations import Organization
from .people import User
from .viewings import Viewing

__all__ = [
    "Connection",
    "Event",
    "Invitation",
    "Membership",
    "Organization",
    "Outbox",
    "Role",
    "User",
    "Viewing",
]
