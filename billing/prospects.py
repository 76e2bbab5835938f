"""What a customer's own act would come to, before it is done, and the act as it was seen."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing import terms
from connections.models import User
from revampd.kit.errors import Conflict
from revampd.kit.locking import lock
from revampd.kit.money import Money, total

from .models import AddOn, BillingRequest, PlanVersion, SelfService
from .models.self_service import Cancellation, Choice
from .runs import Runs
from .statement import Statement


class NotAsSeen(Conflict):
    """What it comes to is not what the person saw."""


@dataclass(frozen=True)
class Prospect:
    """A choice beside what runs and is scheduled now."""

    choice: Choice
    runs: Runs

    @property
    def seal(self) -> str:
        return seal_of(self.choice)

    @property
    def statement(self) -> Statement:
        return Statement.sealed(self.choice.request.terms)

    @property
    def starts_on(self) -> date:
        return self.choice.preview.start

    @property
    def is_now(self) -> bool:
        return self.starts_on <= self.runs.day

    @property
    def is_billed_now(self) -> bool:
        return self.invoice_day is not None and self.invoice_day <= self.runs.day

    # The next invoice, without it and with it

    @property
    def invoice_day(self) -> date | None:
        return self.choice.preview.first_invoice_day

    @property
    def invoice_before(self) -> Money:
        """What the invoice of that day would be without it, with usage and one-time charges."""
        return invoice_of(self.runs, self.invoice_day)

    @property
    def invoice_after(self) -> Money:
        planned, charged = _planned(self.runs, self.invoice_day), self.choice.preview.first_invoice
        return self.invoice_before - planned + charged

    @property
    def for_the_rest(self) -> Money:
        """What the days before that invoice cost, of an add-on that begins before it."""
        new = [line for line in self.choice.preview.lines if line.item.key is None]
        day = self.invoice_day or self.starts_on
        amounts = (line.amount for line in new if line.period.start < day)
        return total(amounts, self.runs.connection.currency)

    # Each interval

    @property
    def interval(self) -> str:
        return self.choice.preview.interval.label

    @property
    def each_before(self) -> Money:
        return self.choice.preview.recurring - self.choice.preview.new

    @property
    def each_after(self) -> Money:
        return self.choice.preview.recurring

    @property
    def new(self) -> Money:
        return self.choice.preview.new


def invoice_of(runs: Runs, day: date | None) -> Money:
    """What the invoice of `day` will be, as things stand."""
    return runs.upcoming_total if runs.next_invoice == day else _planned(runs, day)


def last_invoice(runs: Runs, cancellation: Cancellation) -> Money:
    """What is charged when everything ends, usage and one-time charges included."""
    day = cancellation.end
    return invoice_of(runs, day) - _planned(runs, day) + cancellation.last_invoice


def _planned(runs: Runs, day: date | None) -> Money:
    """What the prices of all that runs come to on the invoice of `day`."""
    is_next = runs.running.next_invoice == day
    return runs.planned if is_next else Money(0, runs.connection.currency)


def seal_of(choice: Choice) -> str:
    """Stands for all that the person sees; it stays the same through the day, if nothing changes.

    Whoever sends a choice sends it along. So what was chosen is what was seen, and a form that is
    sent twice finds something else the second time.
    """
    return terms.seal({**choice.request.terms, "expires_at": None})


@transaction.atomic
def choose_tier(
    service: SelfService, tier: PlanVersion, seal: str, *, by: User, at: datetime
) -> BillingRequest:
    """Change to `tier` as it was seen. Raises NotAsSeen, and all that the verb raises."""
    lock(service.connection)
    _require(seal, service.preview_tier(tier, by=by, at=at))
    return service.choose_tier(tier, by=by, at=at)


@transaction.atomic
def add(
    service: SelfService, add_on: AddOn, quantity: int, seal: str, *, by: User, at: datetime
) -> BillingRequest:
    """Add it as it was seen. Raises NotAsSeen, and all that the verb raises."""
    lock(service.connection)
    _require(seal, service.preview_add_on(add_on, quantity, by=by, at=at))
    return service.add(add_on, quantity, by=by, at=at)


def _require(seal: str, choice: Choice) -> None:
    if seal_of(choice) != seal:
        raise NotAsSeen("Nothing was changed yet.", next_step="This is what it comes to now.")
