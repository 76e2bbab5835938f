"""Mails: HTML and text with the same words, the same facts and the same link."""

from email.utils import parseaddr
from functools import cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from connections.kinds import Category, kind_of
from connections.models import User

from .digests import sections_of
from .models import Delivery
from .tokens import EVERYTHING, unsubscribe_token
from .wording import body_of, facts_of, title_of, told_to

ONE_CLICK = "List-Unsubscribe=One-Click"


def message_of(delivery: Delivery) -> EmailMultiAlternatives:
    """Ready to send; instants stand in the recipient's time zone."""
    kind = "digest" if delivery.is_summary else "notification"
    with timezone.override(_zone(delivery)):
        context = _summary(delivery) if delivery.is_summary else _contents(delivery)
        message = EmailMultiAlternatives(
            subject=context["title"],
            body=render_to_string(f"mail/{kind}.txt", context),
            to=[delivery.address],
            headers=_headers(delivery, context),
        )
        html = render_to_string(f"mail/{kind}.html", context)
    message.attach_alternative(_inliner().inline(html), "text/html")
    return message


def _headers(delivery: Delivery, context: dict[str, Any]) -> dict[str, str]:
    headers = {"Message-ID": message_id(delivery), "Auto-Submitted": "auto-generated"}
    if context["unsubscribe"]:
        headers["List-Unsubscribe"] = f"<{context['unsubscribe']}>"
        headers["List-Unsubscribe-Post"] = ONE_CLICK
    return headers


def message_id(delivery: Delivery) -> str:
    """The same whenever this delivery is sent, so that mail programs show it once."""
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return f"<{delivery.pk}@{sender.rpartition('@')[2] or 'localhost'}>"


def _zone(delivery: Delivery) -> str:
    reader = _reader(delivery)
    return reader.time_zone if reader else delivery.told.organization.time_zone


def _reader(delivery: Delivery) -> User | None:
    """None for somebody who is no member yet."""
    if delivery.digest and delivery.is_summary:
        return delivery.digest.recipient
    return delivery.notification.recipient if delivery.notification else None


def _contents(delivery: Delivery) -> dict[str, Any]:
    event, kind = delivery.told, kind_of(delivery.told)
    return (
        _words(delivery)
        | _ways_out(delivery)
        | {
            "category": Category(kind.category).label if kind.category else "",
            "facts": facts_of(event),
            "url": f"{settings.BASE_URL}{kind.path(event)}",
            "sent_to": delivery.address,
        }
    )


def _words(delivery: Delivery) -> dict[str, Any]:
    """Title, body and button, and the organization: the member's own, or the one that writes."""
    event, notification = delivery.told, delivery.notification
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
        "necessary": telling.necessary,
    }


def _summary(delivery: Delivery) -> dict[str, Any]:
    sections = sections_of(delivery)
    lines = [line for _, section in sections for line in section]
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    return _ways_out(delivery) | {
        "title": f"Your day in Revampd: {lines[0].title}{more}"[:250],
        "sections": sections,
        "base": settings.BASE_URL,
        "url": f"{settings.BASE_URL}{reverse('notifications:list')}",
        "sent_to": delivery.address,
    }


def _ways_out(delivery: Delivery) -> dict[str, str]:
    """Where one chooses what to be mailed, and the link that ends mail like this one: "" where
    nobody can end it, or where nobody chooses because they are no members yet."""
    reader, row = _reader(delivery), delivery.notification
    if reader is None:
        return {"preferences": "", "unsubscribe": ""}
    of = row.category if row else EVERYTHING
    is_necessary = row is not None and bool(told_to(delivery.told, row.side).necessary)
    token = "" if is_necessary else unsubscribe_token(reader, of)
    return {
        "preferences": f"{settings.BASE_URL}{reverse('notifications:preferences')}",
        "unsubscribe": f"{settings.BASE_URL}{reverse('unsubscribe', args=[token])}"
        if token
        else "",
    }


@cache
def _inliner() -> css_inline.CSSInliner:
    # What depends on the reader's screen stays in the <style>; nothing is fetched from anywhere.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
