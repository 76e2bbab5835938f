"""The billing run: everything that has come due by a day, each period exactly once.

It goes through the connections in the order of their days, a chunk a transaction. A chunk is
locked, read, priced and written in a few statements, whatever its size: memory stays flat, and a
run that dies loses no more than the chunk it was at. What was billed is no longer due, so running
again, or several runs at once, bill nothing twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone

from connections.clocks import own_day
from connections.models import Connection
from revampd.kit.garbage import no_collecting
from revampd.kit.keys import among, beyond

from .models import BillingRequest, BillingRun, Discrepancy, Subscription
from .models.due import Account, bill

CHUNK = 1000

# A chunk is found by its keys, however large the tables are. The statistics lag behind a run that
# writes by the thousand, and a plan that is made of them may scan everything, chunk after chunk.
BY_KEYS = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

Progress = Callable[[BillingRun], None]
PROGRESS = ("done", "issued", "stopped", "amounts", "went_on_at")


def bill_due(on: date | None = None, *, at: datetime, progress: Progress = lambda _: None) -> int:
    """Issue every invoice that is due by the day `on`; missed periods are caught up one by one.

    Without `on`, the day is the one that real time `at` has where each provider does business, on
    the connection's own clock. `progress` is called at the beginning and after each chunk. Returns
    how many were issued. A connection that cannot be billed holds up no other; raises
    ExceptionGroup of such failures at the end, and at once what makes the database unreachable.
    """
    return _gone(Cycle(BillingRun(on=on, started_at=timezone.now()), at, progress))


def carry_on(run: BillingRun, *, at: datetime) -> int:
    """`bill_due` for a run that was asked for, from where it stands. Returns how many it issued."""
    return _gone(Cycle(run, at))


def _gone(cycle: "Cycle") -> int:
    cycle.go()
    if failures := list(cycle.failures.values()):
        count = f"{len(failures)} of {cycle.run.connections}"
        raise ExceptionGroup(f"{count} connections not billed", failures)
    return cycle.run.issued


@dataclass
class Cycle:
    """One pass over what is due. Its `run` is stored once there is something to bill."""

    run: BillingRun
    at: datetime
    progress: Progress = lambda _: None
    stopped: set[UUID] = field(default_factory=set)
    failures: dict[UUID, Exception] = field(default_factory=dict)

    @property
    def on(self) -> date | None:
        return self.run.on

    def go(self) -> None:
        if self.run.is_dry:  # nothing of it was kept
            self.run.done = self.run.issued = self.run.stopped = 0
            self.run.amounts = {}
        left = sum(due.count() for due, _ in self._due())
        self.run.connections = self.run.done + left
        if not left and self.run._state.adding:
            return
        self.run.went_on_at = timezone.now()
        self.run.save()
        self.progress(self.run)
        # First what nobody else holds, then, waiting for the locks, what is left.
        for is_patient in (True,) if self.run.is_dry else (False, True):
            for due, day in self._due():
                for ids in self._chunks(due, day):
                    self._chunk(ids, is_patient)
        self._finish()

    def _due(self) -> list[tuple[QuerySet[Any], str]]:
        """What makes connections owe: a period, or a one-time charge; each with its day."""
        # The index knows the latest of all days, each row its own.
        latest = self.on or Connection.objects.latest_day(self.at)
        own = self.on or own_day("connection", self.at)
        periods = Subscription.objects.due(latest).due(own)
        charges = BillingRequest.objects.unbilled_charges(latest).unbilled_charges(own)
        return [(periods, "next_invoice_date"), (charges, "starts_on")]

    def _chunks(self, due: QuerySet[Any], day: str) -> Iterator[list[UUID]]:
        """The connections of `due`, each once, though some that are stopped or held stay due."""
        rows = due.order_by(day, "connection").values_list(day, "connection")
        page = rows[:CHUNK]
        while found := list(page):
            yield sorted({pk for _, pk in found} - self.stopped)
            page = rows.filter(beyond((day, "connection"), found[-1]))[:CHUNK]

    def _chunk(self, ids: Sequence[UUID], is_patient: bool) -> None:
        failure = self._attempt(ids, is_patient)
        if failure and len(ids) > 1:
            # One of them cannot be billed: find it, and bill the others.
            middle = len(ids) // 2
            self._chunk(ids[:middle], is_patient)
            self._chunk(ids[middle:], is_patient)
        elif failure:
            connection = Connection.objects.select_related("provider", "customer").get(pk=ids[0])
            failure.add_note(f"while billing {connection}")
            self.failures[ids[0]] = failure

    def _attempt(self, ids: Sequence[UUID], is_patient: bool) -> Exception | None:
        """Bill all of `ids`, or none and return why not."""
        try:
            with no_collecting():
                self.run, stopped = self._bill(ids, is_patient)
        except (DatabaseError, ValueError) as failure:
            if not database.is_usable():
                raise
            return failure
        self.stopped |= stopped
        for pk in ids:
            self.failures.pop(pk, None)
        self.progress(self.run)
        return None

    def _bill(self, ids: Sequence[UUID], is_patient: bool) -> tuple[BillingRun, set[UUID]]:
        """The run as it stands once this has been committed, and who was stopped."""
        with transaction.atomic():
            run, stopped = self._billed(ids, is_patient)
            if self.run.is_dry:
                transaction.set_rollback(True)
            else:
                run.save(update_fields=PROGRESS)
        if self.run.is_dry:
            run.save(update_fields=PROGRESS)
            stopped = set(ids)  # they are due as before, and were looked at
        return run, stopped

    def _billed(self, ids: Sequence[UUID], is_patient: bool) -> tuple[BillingRun, set[UUID]]:
        with database.cursor() as cursor:
            cursor.execute(BY_KEYS)
        free = Connection.objects.select_for_update(no_key=True, skip_locked=not is_patient)
        held = list(free.filter(among("pk", ids)).order_by("pk").values_list("pk", flat=True))
        accounts = bill(held, at=self.at, on=self.on)
        found = {a.payer.connection_id: (a.until, a.unexplained) for a in accounts}
        stopped = Discrepancy.compare(found, at=self.at)
        run = copy(self.run)
        run.done += len(held)
        run.issued += sum(len(account.drafts) for account in accounts)
        run.stopped += len(stopped)
        run.amounts, run.went_on_at = _added(run.amounts, accounts), timezone.now()
        return run, stopped

    def _finish(self) -> None:
        self.run.finished_at = timezone.now()
        self.run.problem = "\n".join(map(in_words, self.failures.values()))
        self.run.save(update_fields=["finished_at", "problem"])


def _added(amounts: dict[str, int], accounts: Iterable[Account]) -> dict[str, int]:
    """`amounts` with what the invoices of `accounts` come to, by currency."""
    sums: Counter[str] = Counter(amounts)
    for account in accounts:
        sums[account.payer.currency] += sum(draft.total for draft in account.drafts)
    return {currency: minor for currency, minor in sums.items() if minor}


def in_words(failure: BaseException) -> str:
    """One line on what went wrong with which connection."""
    return " ".join((repr(failure).strip(), *getattr(failure, "__notes__", ())))
