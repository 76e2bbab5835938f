"""What can happen to the mails themselves. Nobody is told of it: it is for the record."""

from connections.kinds import EventKind

SEND_TASK = "notifications.send_deliveries"

delivery_repeated = EventKind("delivery.repeated", "sent the mail to {address} again")
