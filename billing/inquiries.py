"""Learning what became of what a gateway was asked to do: payments, refunds, bank transfers.

Commit, ask, commit. An attempt is committed before the call, and its outcome after it; whatever
dies in between leaves an attempt that is looked up later, or sent again under the same key. Several
workers share the work: each claims the next row that no other holds.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction

from connections.clocks import own_time

from .gateways.base import Decline, GatewayError, KeyReused, Outcome, Refused, State
from .models.oversight import report_contradiction
from .models.payments import Contradiction
from .turns import turn

# How long an attempt without an answer is left alone; longer than any gateway takes to answer.
PATIENCE = timedelta(minutes=1)
# How long one that the gateway has in hand is left alone: a webhook tells, unless it got lost.
LONG_PATIENCE = timedelta(hours=1)

log = logging.getLogger(__name__)


class Ask(Protocol):
    """Asks about a row and books the answer. Raises GatewayError without one, and Contradiction."""

    def __call__(self, row: Any, /, *, at: datetime) -> None: ...


class Elsewhere(GatewayError):
    """Another gateway than this site's has it: what became of it cannot be known."""


@dataclass(frozen=True)
class Inquiry:
    """One kind of row that waits for a gateway: where it is found, and how it is asked about.

    `rows` can tell which are `silent` and `claim` one of them; `task` goes on where one turn ends.
    """

    rows: Callable[[], Any]
    task: str
    ask: Ask

    def pursue(self, *, at: datetime) -> int:
        """Ask about every silent row at real time `at`. Returns how many came to their end."""
        settled = 0
        for _ in turn(self.task):
            row = self._next_silent(at)
            if row is None:
                break
            settled += self.resolve(row, at=row.connection.own_time(at))
        return settled

    @transaction.atomic
    def _next_silent(self, at: datetime) -> Any:
        unknown, known = (own_time("connection", at - wait) for wait in (PATIENCE, LONG_PATIENCE))
        row = self.rows().silent(unknown=unknown, known=known).claim()
        if row:
            row.ask_again(at=row.connection.own_time(at))
        return row

    def resolve(self, row: Any, *, at: datetime) -> bool:
        """Ask about one. True if it is settled now; staff hear of contradictions."""
        try:
            self.ask(row, at=at)
        except GatewayError:
            return False
        except Contradiction as contradiction:
            report_contradiction(row, str(contradiction), at=at)
        except Exception:
            log.exception("What became of %s could not be booked", _named(row))
        return bool(row.is_settled)

    def find(self, key: UUID) -> Any:
        """What a webhook with our key is about, None if it is nothing of this kind."""
        return self.rows().filter(pk=key).first()


def learn(
    attempt: Any,
    look_up: Callable[[Any, str], Outcome | None],
    send: Callable[[Any], Outcome],
    *,
    at: datetime,
) -> None:
    """Look an attempt up, send it if the gateway has never heard of it, and book what it says.

    Raises GatewayError without an answer, and Contradiction.
    """
    attempt.ask_again(at=at)
    outcome = look_up(attempt.order, attempt.reference)
    if outcome is None:
        attempt.refresh_from_db()
        if attempt.is_settled:
            return
        outcome = sent(attempt, send)
    attempt.settle(outcome, at=at)


def sent(attempt: Any, send: Callable[[Any], Outcome]) -> Outcome:
    """What came of sending it. Raises Unanswered, and Contradiction if its key was used before."""
    try:
        return send(attempt.order)
    except KeyReused as surprise:
        raise Contradiction(f"The key of {attempt} was used for another order.") from surprise
    except Refused as refusal:
        log.error("%s was refused: %s", _named(attempt), refusal)
        return refused(refusal.sentence)


def refused(sentence: str) -> Outcome:
    """Nothing was done, so nothing can still come of it."""
    return Outcome(State.FAILED, "", Decline("refused", sentence, is_hard=False))


def _named(row: Any) -> str:
    return f"{row._meta.verbose_name} {row.pk}"
