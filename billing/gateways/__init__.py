"""Payment gateways: one port (`base.py`), and who stands behind it, chosen by the settings."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from .base import Gateway
from .unset import NoGateway

__all__ = ["gateway"]


def gateway(at: datetime | None = None) -> Gateway:
    """The gateway of this site: Stripe if it has keys, the sandbox in demo and tests, or none.

    `at` is the moment to which the demo's clock was moved; only the sandbox cares.
    """
    # By name: Stripe's library costs 23 MB of memory, and a site without keys need not load it.
    if settings.STRIPE_SECRET_KEY:
        adapter: Gateway = import_string("billing.gateways.stripe_api.connected")()
        return adapter
    if settings.IS_PRODUCTION:
        return NoGateway()
    sandbox: Gateway = import_string("billing.gateways.sandbox.Sandbox")(at or timezone.now())
    return sandbox
