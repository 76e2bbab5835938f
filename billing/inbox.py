"""Where gateways report: webhooks are stored as they come, and worked off by a task.

A webhook only rings. What became of what it is about is asked of the gateway, so that it does not
matter how often webhooks come, in which order, or whether they come at all. One is done after what
it is about was booked: a worker that dies on the way leaves it for the next.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.http import Http404

from .gateways.base import GatewayError, Notice, Subject, Unanswered
from .inquiries import Ask
from .models import GatewayEvent
from .models.oversight import report_contradiction
from .models.payments import Contradiction
from .turns import turn

log = logging.getLogger(__name__)


class Reporter(Protocol):
    """A gateway as far as it reports."""

    name: str

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        """What a webhook says, taken from its raw bytes. Raises BadSignature."""


class Subjects(Protocol):
    """Rows that a webhook can be about; an `Inquiry` is such."""

    @property
    def ask(self) -> Ask: ...

    def find(self, key: UUID, /) -> Any:
        """The row with our key, None if it is none of these."""


class Finder(Protocol):
    """Finds what `reference` of the gateway is about: how to ask about which row of ours.

    (None, None) if it is nothing of ours. Raises GatewayError.
    """

    def __call__(self, reference: str, at: datetime, /) -> tuple[Ask | None, Any]: ...


@dataclass(frozen=True)
class Inbox:
    """What the gateways of one port report. `task` empties it, and is its name.

    `subjects` are what a webhook here can be about, found by our key, and `finders` what it can be
    about that nobody here has ordered; `nouns` says both in words.
    """

    task: str
    gateway: Callable[[datetime], Reporter]
    subjects: tuple[Subjects, ...]
    nouns: str
    finders: Mapping[Subject, Finder] = field(default_factory=dict)

    def receive(self, name: str, body: bytes, headers: Mapping[str, str], *, at: datetime) -> None:
        """Keep a webhook of the gateway `name`, and wake a worker.

        Raises Http404 for another gateway than this site's, and BadSignature.
        """
        present = self.gateway(at)
        if present.name != name:
            raise Http404
        notice = present.parse_webhook(body, headers, at=at)
        GatewayEvent.keep(notice, inbox=self.task, gateway=name, body=body, at=at)

    def work_off(self, *, at: datetime) -> int:
        """Follow every stored webhook, oldest first. Returns how many are done."""
        done = 0
        for _ in turn(self.task):
            event = GatewayEvent.take(self.task, at=at)
            if event is None:
                break
            try:
                done += self._follow(event, at)
            except Exception:
                log.exception("Webhook %s waits for another try", event)
        return done

    def _follow(self, event: GatewayEvent, at: datetime) -> bool:
        """Book what a webhook is about. False if the gateway does not answer: it comes again."""
        subject: Any = None
        try:
            ask, subject = self._find(event, at)
            if ask is None:
                event.finish(f"Not about a {self.nouns} of ours.", at=at)
                return True
            ask(subject, at=subject.connection.own_time(at))
        except Contradiction as contradiction:
            own = subject.connection.own_time(at)
            report_contradiction(subject, str(contradiction), at=own)
            event.set_aside(str(contradiction))
        except Unanswered:
            return False
        except GatewayError as refusal:
            event.set_aside(refusal.sentence)
        else:
            event.finish("", at=at)
        return True

    def _find(self, event: GatewayEvent, at: datetime) -> tuple[Ask | None, Any]:
        """What a webhook is about. A setup has a key of no such row, and needs nothing here."""
        if event.key is not None:
            for subjects in self.subjects:
                if subject := subjects.find(event.key):
                    return subjects.ask, subject
        if event.subject in self.finders:
            return self.finders[Subject(event.subject)](event.reference, at)
        return None, None
