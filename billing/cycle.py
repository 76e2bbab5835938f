"""The billing run: everything that has come due by a day, each period exactly once.

It goes through the connections in the order of their ids, a chunk a transaction. A chunk is locked,
read, priced and written in a few statements, whatever its size: memory stays flat, and a run that
dies loses no more than the chunk it was at. What was billed is no longer due, so running again, or
several runs at once, bill nothing twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from connections.clocks import own_day
from connections.models import Connection

from .models import BillingRequest, BillingRun, Discrepancy, Subscription
from .models.due import bill

CHUNK = 1000

Progress = Callable[[BillingRun], None]


def bill_due(on: date | None = None, *, at: datetime, progress: Progress = lambda _: None) -> int:
    """Issue every invoice that is due by the day `on`; missed periods are caught up one by one.

    Without `on`, the day is the one that real time `at` has where each provider does business, on
    the connection's own clock. `progress` is called after each chunk. Returns how many were issued.
    A connection that cannot be billed holds up no other; raises ExceptionGroup of such failures at
    the end.
    """
    cycle = Cycle(on, at, progress)
    cycle.go()
    if failures := list(cycle.failures.values()):
        count = f"{len(failures)} of {cycle.run.connections}"
        raise ExceptionGroup(f"{count} connections not billed", failures)
    return cycle.run.issued


@dataclass
class Cycle:
    """One pass over what is due. Its `run` is stored once there is something to bill."""

    on: date | None
    at: datetime
    progress: Progress
    run: BillingRun = field(init=False)
    failures: dict[UUID, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = BillingRun(on=self.on, started_at=timezone.now())

    def go(self) -> None:
        for due in self._due():
            self.run.connections += due.count()
        if not self.run.connections:
            return
        self.run.save()
        # First what nobody else holds, then, waiting for the locks, what is left.
        for is_patient in (False, True):
            for due in self._due():
                self._pass(due, is_patient)
        self._finish()

    def _due(self) -> list[QuerySet[Any]]:
        """Rows with the connections that owe a period, and those that owe a one-time charge."""
        # The index knows the latest of all days, each row its own.
        latest = self.on or Connection.objects.latest_day(self.at)
        own = self.on or own_day("connection", self.at)
        charges = BillingRequest.objects.unbilled_charges(latest).unbilled_charges(own)
        return [Subscription.objects.due(latest).due(own), charges]

    def _pass(self, due: QuerySet[Any], is_patient: bool) -> None:
        after = UUID(int=0)
        rows = due.order_by("connection").values_list("connection", flat=True)
        while ids := list(rows.filter(connection__gt=after)[:CHUNK]):
            after = ids[-1]
            self._chunk(ids, is_patient)

    def _chunk(self, ids: Sequence[UUID], is_patient: bool) -> None:
        try:
            for pk in self._bill(ids, is_patient):
                self.failures.pop(pk, None)
        except (DatabaseError, ValueError) as failure:
            if len(ids) == 1:
                failure.add_note(f"while billing connection {ids[0]}")
                self.failures[ids[0]] = failure
            else:
                # One of them cannot be billed: find it, and bill the others.
                for pk in ids:
                    self._chunk([pk], is_patient)
        self.progress(self.run)

    @transaction.atomic
    def _bill(self, ids: Sequence[UUID], is_patient: bool) -> list[UUID]:
        free = Connection.objects.select_for_update(no_key=True, skip_locked=not is_patient)
        held = list(free.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
        accounts = bill(held, at=self.at, on=self.on)
        stopped = {a.payer.connection_id: (a.until, a.unexplained) for a in accounts}
        self.run.stopped += Discrepancy.compare(stopped, at=self.at)
        self.run.issued += sum(len(account.drafts) for account in accounts)
        self.run.done += len(held)
        self.run.save(update_fields=["issued", "done", "stopped"])
        return held

    def _finish(self) -> None:
        self.run.finished_at = timezone.now()
        self.run.problem = "\n".join(
            f"{failure!r} {' '.join(failure.__notes__)}" for failure in self.failures.values()
        )
        self.run.save(update_fields=["finished_at", "problem"])
