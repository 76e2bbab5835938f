"""Who sends money to banks, behind one port (`base.py`), chosen by the settings."""

from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from .base import Bank
from .unset import NoBank

__all__ = ["bank"]


def bank(at: datetime) -> Bank:
    """The gateway of this site: Stripe if it has keys, the sandbox in demo and tests, or none.

    `at` is the moment to which the demo's clock was moved; only the sandbox cares.
    """
    # By name: Stripe's library is large, and the sandbox's books are models that import this.
    if settings.STRIPE_SECRET_KEY:
        adapter: Bank = import_string("payouts.gateways.stripe_connect.connected")()
        return adapter
    if settings.IS_PRODUCTION:
        return NoBank()
    sandbox: Bank = import_string("payouts.gateways.sandbox.Sandbox")(at)
    return sandbox
