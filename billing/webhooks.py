"""Webhooks: stored as they come, worked off by a task.

A webhook only rings. What became of a payment or a refund is asked of the gateway, so that it does
not matter how often webhooks come, in which order, or whether they come at all. One is done after
what it is about was booked: a worker that dies on the way leaves it for the next.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.http import Http404

from .collecting import ask
from .events import WEBHOOK_TASK
from .gateways import gateway
from .gateways.base import GatewayError, Unanswered
from .models import GatewayEvent, Payment, Refund
from .models.oversight import report_contradiction
from .models.payments import Contradiction
from .refunding import ask_refund
from .turns import turn

log = logging.getLogger(__name__)


def receive(name: str, body: bytes, headers: Mapping[str, str], *, at: datetime) -> None:
    """Keep a webhook of the gateway `name`, and wake a worker.

    Raises Http404 for another gateway than this site's, and BadSignature.
    """
    present = gateway(at)
    if present.name != name:
        raise Http404
    notice = present.parse_webhook(body, headers, at=at)
    GatewayEvent.keep(notice, gateway=name, body=body, at=at)


def work_off(*, at: datetime) -> int:
    """Follow every stored webhook, oldest first. Returns how many are done."""
    done = 0
    for _ in turn(WEBHOOK_TASK):
        event = GatewayEvent.take(at=at)
        if event is None:
            break
        try:
            done += _follow(event, at)
        except Exception:
            log.exception("Webhook %s waits for another try", event)
    return done


def _follow(event: GatewayEvent, at: datetime) -> bool:
    """Book what a webhook is about. False if the gateway does not answer: it comes again."""
    subject = _subject(event.key)
    if subject is None:
        event.finish("Not about a payment or refund of ours.", at=at)
        return True
    own = subject.connection.own_time(at)
    try:
        ask(subject, at=own) if isinstance(subject, Payment) else ask_refund(subject, at=own)
    except Contradiction as contradiction:
        report_contradiction(subject, str(contradiction), at=own)
        event.set_aside(str(contradiction))
    except Unanswered:
        return False
    except GatewayError as refusal:
        event.set_aside(refusal.sentence)
    else:
        event.finish("", at=at)
    return True


def _subject(key: UUID | None) -> Payment | Refund | None:
    """The payment or refund whose id is the key; a setup has another, and needs nothing here."""
    if key is None:
        return None
    payment: Payment | None = Payment.objects.filter(pk=key).first()
    return payment or Refund.objects.filter(pk=key).first()
