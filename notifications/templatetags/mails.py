"""Mail that did not arrive, on the page of what it was about."""

from typing import Any

from django import template
from django.db import models

from notifications.models import Delivery

register = template.Library()


@register.inclusion_tag("notifications/_deliveries.html")
def undelivered(subject: models.Model) -> dict[str, Any]:
    """The mails about `subject` that failed, for whoever caused them; nothing if all is well."""
    failed = list(Delivery.objects.about(subject).failed())
    return {"deliveries": failed, "heading": "Mail that did not arrive"}
