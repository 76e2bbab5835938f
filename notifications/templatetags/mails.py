"""Mail that did not arrive, on the page of what it was about."""

from typing import Any

from django import template
from django.db import models
from django.template import Context

from notifications.models import Delivery

register = template.Library()


@register.inclusion_tag("notifications/_deliveries.html", takes_context=True)
def undelivered(context: Context, subject: models.Model) -> dict[str, Any]:
    """The mails about `subject` that failed, for whoever caused them; nothing if all is well.

    Who may, sends them again from there.
    """
    party: Any = context.get("party")
    member: Any = party.membership if party else context.get("membership")
    return {
        "deliveries": list(Delivery.objects.about(subject).failed()),
        "heading": "Mail that did not arrive",
        "organization": member.organization,
        "may_send": member.may_bill,
        "request": context["request"],
    }
