"""Mail that did not arrive, on the page of what it was about."""

from typing import Any

from django import template
from django.db import models
from django.template import Context

from connections.models import Membership
from notifications.models import Delivery

register = template.Library()


@register.inclusion_tag("notifications/_deliveries.html", takes_context=True)
def undelivered(context: Context, subject: models.Model) -> dict[str, Any]:
    """The mails about `subject` that failed, for whoever caused them; nothing if all is well.

    They are those that the reader's organization answers for. Who may, sends them again from there.
    """
    party: Any = context.get("party")
    member: Any = party.membership if party else context.get("membership")
    own = Delivery.objects.answered_for_by(member.organization)
    return {
        "deliveries": list(own.about(subject).failed().select_related("event")),
        "heading": "Mail that did not arrive",
        "organization": member.organization,
        "sender": member,
        "request": context["request"],
    }


@register.filter
def may_be_sent_by(delivery: Delivery, member: Membership) -> bool:
    """Whether this member may send it again."""
    return delivery.may_be_sent_by(member)
