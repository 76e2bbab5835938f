"""Who sends money to banks, behind one port (`base.py`), chosen by the settings."""

from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from .base import Bank
from .unset import NoBank

__all__ = ["bank"]


def bank(at: datetime) -> Bank:
    """The gateway of this site: the sandbox where no money is real, otherwise none yet.

    `at` is the moment to which the demo's clock was moved.
    """
    if not settings.HAS_SANDBOX:
        return NoBank()
    # By name: its books are models, which import this package.
    sandbox: Bank = import_string("payouts.gateways.sandbox.Sandbox")(at)
    return sandbox
