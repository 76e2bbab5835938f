"""What a request proposes."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import TextChoices

from revampd.kit.money import Money

from .items import ItemKind
from .periods import Interval
from .running import Running


class Timing(TextChoices):
    NOW = "NOW", "On approval"
    NEXT_CYCLE = "NEXT_CYCLE", "Next billing cycle"
    DATE = "DATE", "On a day"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request proposes. A plan's price is for its interval, an add-on's for a month.

    `day` is the effective day, if it takes effect later and the day is fixed already: sealed terms
    name the day of the next cycle too, and keep it when they are approved after the billing run.
    The fees of a plan are minor units. `ends` are the keys of the items that an add-on takes the
    place of. `alone` is an add-on of a connection whose add-ons need no plan.
    """

    kind: ItemKind
    name: str
    unit_price: Money
    quantity: int = 1
    interval: Interval = Interval.MONTH
    timing: Timing = Timing.NOW
    day: date | None = None
    key: Any = None
    booking_fee: int = 0
    transfer_fee: int = 0
    ends: tuple[Any, ...] = ()
    alone: bool = False

    @property
    def price(self) -> Money:
        return self.unit_price * self.quantity

    def start(self, running: Running, on: date) -> date:
        """The day on which it begins if it is approved on `on`."""
        start = on
        if self.timing != Timing.NOW:
            start = max(self.day or running.next_cycle(on) or on, on)
        if self.kind == ItemKind.ADD_ON and running.items:
            return max(start, min(item.start for item in running.items))
        return start
