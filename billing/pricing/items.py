"""What runs on a connection, at the prices that were approved."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import TextChoices

from revampd.kit.money import Money

from .periods import Interval


class ItemKind(TextChoices):
    PLAN = "PLAN", "Plan"
    ADD_ON = "ADD_ON", "Add-on"
    ONE_TIME = "ONE_TIME", "One-time charge"


@dataclass(frozen=True, slots=True)
class Item:
    """A plan or add-on that runs on a connection, at the prices it was approved at.

    `unit_price` is for one whole interval. It runs on the days [start, end) and is billed in
    periods counted from `anchor`; every day before `billed_to` has been billed. `key` is the
    caller's own handle.
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

    @property
    def price(self) -> Money:
        return self.unit_price * self.quantity

    def runs_on(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)
