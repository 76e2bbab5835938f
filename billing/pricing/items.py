"""What runs on a connection, at the prices that were approved."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from django.db.models import TextChoices

from revampd.kit.money import Money

from .periods import Interval


class ItemKind(TextChoices):
    PLAN = "PLAN", "Plan"
    ADD_ON = "ADD_ON", "Add-on"
    ONE_TIME = "ONE_TIME", "One-time charge"


class Measure(TextChoices):
    """What is counted of the use of a plan, and costs a fee each time."""

    BOOKING = "BOOKING", "booking"
    TRANSFER = "TRANSFER", "transfer"

    def counted(self, count: int) -> str:
        """So many of them in words: "1 booking", "1,240 transfers"."""
        return f"1 {self.label}" if count == 1 else f"{count:,} {self.label}s"


class Ending(TextChoices):
    """Why an item has an end."""

    REPLACED = "REPLACED", "Replaced"
    REMOVED = "REMOVED", "Removed"
    CANCELED = "CANCELED", "Canceled"


@dataclass(frozen=True, slots=True)
class Item:
    """A plan or add-on that runs on a connection, at the prices it was approved at.

    `unit_price` is for one whole interval. It runs on the days [start, end) and is billed in
    periods counted from `anchor`; every day before `billed_to` has been billed. `key` is the
    caller's own handle, `authority` that of the request which allows it. The fees are minor units
    of the same currency. `ending` says why it ends.
    """

    kind: ItemKind
    name: str
    unit_price: Money
    quantity: int
    interval: Interval
    anchor: date
    start: date
    end: date | None
    billed_to: date
    key: Any = None
    booking_fee: int = 0
    transfer_fee: int = 0
    authority: Any = None
    ending: Ending | Literal[""] = ""

    @property
    def price(self) -> Money:
        return self.unit_price * self.quantity

    def fee(self, measure: Measure) -> Money:
        """What each use costs, as `measure` counts it."""
        fee = self.booking_fee if measure == Measure.BOOKING else self.transfer_fee
        return Money(fee, self.unit_price.currency)

    def runs_on(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def lasts_after(self, day: date) -> bool:
        """Whether it runs after `day`, or will; what ends before it begins does not."""
        return self.end is None or self.end > max(day, self.start)

    def in_step_with(self, other: "Item") -> bool:
        """Whether both are billed in the same periods."""
        return (self.interval, self.anchor) == (other.interval, other.anchor)

    def ended(self, day: date, why: Ending = Ending.REPLACED) -> "Item":
        """The same until `day`; what would only have begun later ends on its own first day."""
        return replace(self, end=max(day, self.start), ending=why)

    def unended(self) -> "Item":
        """The same with no end in sight."""
        return replace(self, end=None, ending="")

    def moved(self, leader: "Item", first: date) -> "Item":
        """The rest of an add-on from the day `first`, billed with `leader`, at its monthly price.

        Only a whole number of cents a month comes back out of a yearly price: add-ons are approved
        by the month.
        """
        monthly = self.unit_price.minor // self.interval.months
        return replace(
            self,
            unit_price=Money(monthly * leader.interval.months, self.unit_price.currency),
            interval=leader.interval,
            anchor=leader.anchor,
            start=first,
            billed_to=first,
        )

    def billed(self, through: date) -> "Item":
        """The same, once all its days before `through` have been billed."""
        end = through if self.end is None else min(self.end, through)
        # Spelled out: the billing run does this to every item, and `replace` is twice as slow.
        return Item(
            self.kind,
            self.name,
            self.unit_price,
            self.quantity,
            self.interval,
            self.anchor,
            self.start,
            self.end,
            max(self.start, end),
            self.key,
            self.booking_fee,
            self.transfer_fee,
            self.authority,
            self.ending,
        )
