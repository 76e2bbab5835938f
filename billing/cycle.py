"""The billing run: everything that has come due by a day, each period exactly once.

It goes through the connections in the order of their ids, a chunk a transaction. A chunk is locked,
read, priced and written in a few statements, whatever its size, so that memory stays flat and a run
that dies loses at most the chunk it was at. What was billed is no longer due: running again, or
several runs at once, bill nothing twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import DatabaseError, connection as database, transaction
from django.utils import timezone

from .models import BillingRun, Discrepancy
from .models.due import Account, bill

CHUNK = 1000
FIRST = UUID(int=0)

Progress = Callable[[BillingRun], None]


@dataclass
class Cycle:
    """One run: the day (None for that of each provider), the instant, and how it goes."""

    on: date | None
    at: datetime
    run: BillingRun
    progress: Progress
    failures: list[Exception] = field(default_factory=list)

    def go(self) -> None:
        """Bill what nobody else holds, then, waiting for their locks, what is left."""
        for source in (SUBSCRIPTIONS_DUE, CHARGES_DUE):
            for locking in ("SKIP LOCKED", ""):
                after: UUID | None = FIRST
                while after:
                    after = self._chunk(source, locking, after)

    def _chunk(self, source: str, locking: str, after: UUID) -> UUID | None:
        """Bill the next connections after the id `after`. Returns the last id, None at the end."""
        try:
            with transaction.atomic():
                due = self._due(source, locking, after)
                self._bill(due)
        except (DatabaseError, ValueError) as failure:
            return self._one_by_one(source, after, failure)
        self.progress(self.run)
        return due[-1] if len(due) == CHUNK else None
