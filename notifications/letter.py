"""The mail about an event: HTML and text with the same words, the same facts and the same link."""

from email.utils import parseaddr
from functools import cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from connections.kinds import Category, kind_of
from connections.models import Organization

from .models import Delivery
from .wording import body_of, facts_of, title_of


def message_of(delivery: Delivery) -> EmailMultiAlternatives:
    """Ready to send; instants stand in the recipient's time zone."""
    with timezone.override(_zone(delivery)):
        context = _contents(delivery)
        message = EmailMultiAlternatives(
            subject=context["title"],
            body=render_to_string("mail/notification.txt", context),
            to=[delivery.address],
            headers={"Message-ID": message_id(delivery), "Auto-Submitted": "auto-generated"},
        )
        html = render_to_string("mail/notification.html", context)
    message.attach_alternative(_inliner().inline(html), "text/html")
    return message


def message_id(delivery: Delivery) -> str:
    """The same whenever this delivery is sent, so that mail programs show it once."""
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return f"<{delivery.pk}@{sender.rpartition('@')[2] or 'localhost'}>"


def _zone(delivery: Delivery) -> str:
    if delivery.notification:
        return delivery.notification.recipient.time_zone
    return delivery.event.organization.time_zone


def _contents(delivery: Delivery) -> dict[str, Any]:
    event, kind = delivery.event, kind_of(delivery.event)
    return _words(delivery) | {
        "category": Category(kind.category).label if kind.category else "",
        "facts": facts_of(event),
        "url": f"{settings.BASE_URL}{kind.path(event)}",
        "sent_to": delivery.address,
    }


def _words(delivery: Delivery) -> dict[str, Any]:
    """Title, body, and the organization it is for: the member's own, or the one that writes."""
    notification, event = delivery.notification, delivery.event
    if notification is None:
        telling = kind_of(event).mailed
        if telling is None:
            raise LookupError("The kind of this event has no words for a stranger.")
        return _for(event.organization, title_of(telling, event), body_of(telling, event))
    return _for(notification.organization, notification.title, notification.body, member=True)


def _for(
    organization: Organization, title: str, body: str, *, member: bool = False
) -> dict[str, Any]:
    return {"organization": organization, "title": title, "body": body, "is_member": member}


@cache
def _inliner() -> css_inline.CSSInliner:
    # What depends on the reader's screen stays in the <style>; nothing is fetched from anywhere.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
