"""Brings the webhooks of the sandbox's bank to our own door, as `billing/postman.py` does.

It tells of a transfer that has come to its end, or back, until somebody has asked about it.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from billing.gateways.base import State
from connections.models import Connection

from .gateways.sandbox import Sandbox, webhook_of
from .models import SandboxTransfer
from .webhooks import INBOX


def deliver(*, at: datetime) -> int:
    """Deliver what is due at real time `at`, in the time of each Partner. Returns how many."""
    to_come = Q(state=State.PROCESSING) | Q(state=State.SUCCEEDED, returns_at__isnull=False)
    rows = SandboxTransfer.objects.filter(to_come).select_related("account")
    waiting = list(rows.order_by("arrives_at", "pk"))
    owners = {transfer.account.owner for transfer in waiting}
    ahead = dict(Connection.objects.filter(pk__in=owners).values_list("pk", "ahead"))
    delivered = 0
    for transfer in waiting:
        now = at + ahead.get(transfer.account.owner, timedelta(0))
        if transfer.ends_at and transfer.ends_at <= now:
            webhook = webhook_of(transfer, now)
            INBOX.receive(Sandbox.name, webhook.body, webhook.headers, at=now)
            delivered += 1
    return delivered
