"""Mail: one message a delivery, each sent while its row is held.

A worker that dies while sending leaves the row queued, so that nothing is lost; should the mail
have left already, the second one carries the same Message-ID and mail programs show one.
"""

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.core.mail import get_connection
from django.db import transaction
from django.utils import timezone

from revampd.kit.doorbell import ring_on_commit

from .digests import leave_out_read
from .events import SEND_TASK
from .letter import message_of
from .models import Delivery, Undeliverable

ROUND = 200
PERMANENT = 500  # SMTP: 4xx asks to come again later, 5xx never wants to see it again

log = logging.getLogger(__name__)


class Outcome(Enum):
    SENT = auto()
    NOT_SENT = auto()
    STOP = auto()


def send_due(clock: Callable[[], datetime] = timezone.now) -> int:
    """Send what is due, and ring for another round if that is a lot. Returns how many were sent.

    A mail server that does not answer ends the round: the rest stays due for the next sweep.
    """
    server = get_connection()
    sent = 0
    try:
        for _ in range(ROUND):
            outcome = _send_next(server, clock())
            if outcome is Outcome.STOP:
                return sent
            sent += outcome is Outcome.SENT
    finally:
        server.close()
    ring_on_commit(SEND_TASK)
    return sent


@transaction.atomic
def _send_next(server: Any, now: datetime) -> Outcome:
    delivery = Delivery.objects.due(now).claimed().with_words().first()
    if delivery is None:
        return Outcome.STOP
    if not _may_leave(delivery):
        return Outcome.NOT_SENT
    try:
        message = message_of(delivery)
    except Exception as error:
        log.exception("The mail of delivery %s cannot be written", delivery.pk)
        delivery.refuse(f"The mail could not be written: {type(error).__name__}: {error}")
        return Outcome.NOT_SENT
    try:
        server.open()
        server.send_messages([message])
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors
        return _take_refusal(delivery, error, server, now)
    delivery.mark_sent(at=now)
    return Outcome.SENT


def _may_leave(delivery: Delivery) -> bool:
    """Not to an address that bounces, and no summary of which everything has been read."""
    if mark := Undeliverable.at(delivery.address):
        delivery.hold(f"Mail to this address came back: {mark.reason}"[:500])
        return False
    if delivery.is_summary and not leave_out_read(delivery):
        delivery.skip()
        return False
    return True


def _take_refusal(delivery: Delivery, error: Exception, server: Any, now: datetime) -> Outcome:
    """Fail the delivery or try it later; go on with others if only this mail was refused."""
    code, reason = _refusal(error)
    if isinstance(error, ValueError) or code >= PERMANENT:
        delivery.refuse(reason)
        return Outcome.NOT_SENT
    if code:
        delivery.postpone(reason, at=now)
        return Outcome.NOT_SENT
    delivery.wait_for_server(reason, at=now)
    log.warning("The mail server does not take mail: %s", reason)
    server.close()
    return Outcome.STOP


def _refusal(error: Exception) -> tuple[int, str]:
    """What the server said of this mail: its code and words. 0 if the trouble is not the mail's."""
    code: int
    words: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPDataError):
        code, words = error.smtp_code, error.smtp_error
    else:
        return 0, f"{type(error).__name__}: {error}"
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return code, f"{code} {' '.join(text.split())}"
