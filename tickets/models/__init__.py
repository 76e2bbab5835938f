"""Conversations between customers and providers, who may read what of them, and what is new."""

from .attachments import Attachment
from .messages import Audience, Message, Side
from .tickets import Ticket
from .unread import Unread

__all__ = ["Attachment", "Audience", "Message", "Side", "Ticket", "Unread"]
