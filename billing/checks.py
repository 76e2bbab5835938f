"""What `manage.py check --deploy` says of payments."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, register


@register(Tags.security, deploy=True)
def payments_are_set_up(**_: Any) -> list[CheckMessage]:
    """A hint, no warning: a site may well bill without taking cards."""
    if settings.STRIPE_SECRET_KEY:
        return []
    hint = "Set REVAMPD_STRIPE_SECRET_KEY and REVAMPD_STRIPE_WEBHOOK_SECRET to take cards."
    return [Info("Payments are not set up.", hint=hint, id="billing.I001")]
