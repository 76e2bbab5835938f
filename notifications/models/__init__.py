"""Who was told, how they want to be told, and what became of the mails."""

from .addresses import Undeliverable
from .deliveries import RETRY_AFTER, AlreadyOnItsWay, Delivery, TooSoon
from .digests import Digest
from .notifications import IS_UNREAD, Notification, NotificationQuerySet
from .preferences import Channel, DigestHour, Manner, OrganizationDefault, Preference

__all__ = [
    "IS_UNREAD",
    "RETRY_AFTER",
    "AlreadyOnItsWay",
    "Channel",
    "Delivery",
    "Digest",
    "DigestHour",
    "Manner",
    "Notification",
    "NotificationQuerySet",
    "OrganizationDefault",
    "Preference",
    "TooSoon",
    "Undeliverable",
]
