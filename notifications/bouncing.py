"""Mail that came back: reported by whoever sends our mail, and tried again by its reader.

A report is JSON, signed as Standard Webhooks are (webhook-id, webhook-timestamp,
webhook-signature), which most mail services speak or can be made to:

    {"type": "bounced", "message_id": "<...>", "permanent": true, "reason": "550 no such mailbox"}
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections.models import User
from revampd.kit.doorbell import ring_on_commit

from . import events
from .models import Delivery, Undeliverable

TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"


class BadSignature(Exception):
    """Not signed with our secret, or too long ago."""


class Unreadable(Exception):
    """Signed, and not a report all the same."""


def receive(body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
    """Take over a report; False if it tells nothing new. Raises BadSignature, Unreadable."""
    _verify(body, headers, at)
    report = _read(body)
    if report.get("type") != "bounced":
        return False
    delivery = _reported(report)
    if delivery is None:
        return False
    reason = " ".join(str(report.get("reason") or "No reason was given.").split())
    return delivery.bounce(reason, at=at, is_permanent=report.get("permanent") is True)


def _verify(body: bytes, headers: Mapping[str, str], at: datetime) -> None:
    name, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        raise BadSignature("It has no moment.")
    if abs(at.timestamp() - int(moment)) > TOLERANCE.total_seconds():
        raise BadSignature("It was signed too long ago.")
    expected = signature_of(f"{name}.{moment}.".encode() + body)
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise BadSignature("It is signed with another secret.")


def signature_of(signed: bytes) -> str:
    """With our secret, in the form of the header. Raises BadSignature if we have none."""
    secret: str = settings.MAIL_WEBHOOK_SECRET
    if not secret:
        raise BadSignature("No secret is set here.")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _read(body: bytes) -> dict[str, Any]:
    try:
        report = json.loads(body)
    except ValueError as error:
        raise Unreadable("It is no JSON.") from error
    if not isinstance(report, dict):
        raise Unreadable("It is no object.")
    return report


def _reported(report: dict[str, Any]) -> Delivery | None:
    """The mail that a report names. None for one that is not ours."""
    name = str(report.get("message_id", "")).strip("<> ").partition("@")[0]
    try:
        return Delivery.objects.filter(pk=UUID(name)).first()
    except ValueError:
        return None


@transaction.atomic
def try_address(address: str, *, by: User, at: datetime) -> bool:
    """Take an address for one that takes mail: what was held back from it goes out.

    Its reader says so, or staff. Whether there was anything to lift.
    """
    if not Undeliverable.lift(address):
        return False
    Delivery.objects.release(address, at=timezone.now())  # mail goes by real time
    for membership in by.belongs_to:
        events.address_tried.record(
            by, by=by, at=at, organization=membership.organization, address=address
        )
    ring_on_commit(events.SEND_TASK)
    return True
