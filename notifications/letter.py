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

from .models import Delivery
from .wording import body_of, facts_of, title_of, told_to


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
    """Title, body and button, and the organization: the member's own, or the one that writes."""
    event, notification = delivery.event, delivery.notification
    if notification:
        telling = told_to(event, notification.side)
        title, body = notification.title, notification.body
        organization = notification.organization
    else:
        telling = told_to(event)
        title, body = title_of(telling, event), body_of(telling, event)
        organization = event.organization
    return {
        "title": title,
        "body": body,
        "action": telling.action,
        "organization": organization,
        "is_member": notification is not None,
    }


@cache
def _inliner() -> css_inline.CSSInliner:
    # What depends on the reader's screen stays in the <style>; nothing is fetched from anywhere.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
