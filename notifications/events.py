"""What can happen to the mails themselves, and to how people want to be told."""

from django.urls import reverse

from connections.kinds import EVERYONE, Category, EventKind, Telling
from connections.models.events import Event

DIGEST_TASK = "notifications.compose_digests"
SEND_TASK = "notifications.send_deliveries"


def _mail(event: Event) -> str:
    return reverse("organization-notifications:mail", args=[event.organization.slug])


preferences_changed = EventKind("preferences.changed", "changed how they are told")
defaults_changed = EventKind("defaults.changed", "changed how members are told")

delivery_repeated = EventKind("delivery.repeated", "sent the mail to {address} again")
address_bounced = EventKind(
    "address.bounced",
    "Mail to {address} comes back: {reason}",
    category=Category.ACCOUNT,
    icon="mail",
    tone="bad",
    members=Telling(
        "Mail to {address} comes back",
        "{reason} Nothing more is sent there until somebody tries again. On the page they are told "
        "as before.",
        roles=EVERYONE - {"VIEWER"},
    ),
    # A mail about mail that does not arrive helps nobody.
    by_mail=False,
    facts=(("address", "Address"), ("reason", "Reason")),
    link=_mail,
)
address_tried = EventKind("address.tried", "wants mail at {address} again")
