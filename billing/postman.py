"""Brings the sandbox's webhooks to our own door, as the network does with those of a real gateway.

For the demo and the tests. The sandbox lives in the time of each customer's connection, so that a
moved clock moves its delays as well.
"""

from datetime import datetime, timedelta

from connections.models import Connection

from .gateways.sandbox import Sandbox, due_webhooks
from .models import SandboxSetup, SandboxWebhook
from .webhooks import receive


def deliver(*, at: datetime) -> int:
    """Deliver what is due at real time `at`, bodies and headers. Returns how many."""
    waiting = SandboxWebhook.objects.filter(delivered_at__isnull=True).values("customer")
    setups = SandboxSetup.objects.filter(customer__in=waiting)
    owners = dict(setups.values_list("customer", "owner"))
    ahead = dict(Connection.objects.filter(pk__in=owners.values()).values_list("pk", "ahead"))
    delivered = 0
    for customer, owner in owners.items():
        now = at + ahead.get(owner, timedelta(0))
        for webhook in due_webhooks(now, customer=customer):
            receive(Sandbox.name, webhook.body, webhook.headers, at=now)
            delivered += 1
    return delivered
