"""Brings the webhooks of the sandbox's bank to our own door, as `billing/postman.py` does.

It tells of a transfer that has come to its end until somebody has asked about it.
"""

from datetime import datetime, timedelta

from billing.gateways.base import State
from connections.models import Connection

from .gateways.sandbox import Sandbox, webhook_of
from .models import SandboxTransfer
from .webhooks import INBOX


def deliver(*, at: datetime) -> int:
    """Deliver what is due at real time `at`, in the time of each Partner. Returns how many."""
    rows = SandboxTransfer.objects.filter(state=State.PROCESSING).select_related("account")
    waiting = list(rows.order_by("arrives_at", "pk"))
    owners = {transfer.account.owner for transfer in waiting}
    ahead = dict(Connection.objects.filter(pk__in=owners).values_list("pk", "ahead"))
    delivered = 0
    for transfer in waiting:
        now = at + ahead.get(transfer.account.owner, timedelta(0))
        if transfer.arrives_at and transfer.arrives_at <= now:
            webhook = webhook_of(transfer, now)
            INBOX.receive(Sandbox.name, webhook.body, webhook.headers, at=now)
            delivered += 1
    return delivered
