"""What the use of a plan costs on top: a fee for each booking and each transfer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from .items import Item, Measure
from .lines import Charge
from .periods import Period


@dataclass(frozen=True, slots=True)
class Usage:
    """How often something that is counted happened on a day.

    `item` is the key of the plan it was entered for; None for the one that ran on the day.
    """

    measure: Measure
    day: date
    count: int
    item: Any = None

    def is_of(self, item: Item) -> bool:
        return item.runs_on(self.day) if self.item is None else item.key == self.item


def usage_charges(item: Item, usage: Iterable[Usage]) -> list[Charge]:
    """What `usage` costs by the fees of the plan `item`: one line a measure, if it has a fee.

    Only days on which the plan ran count: those of another plan are charged at its own fees.
    """
    days: dict[Measure, list[date]] = {}
    counts: dict[Measure, int] = {}
    for used in usage:
        if used.count and used.is_of(item):
            days.setdefault(used.measure, []).append(used.day)
            counts[used.measure] = counts.get(used.measure, 0) + used.count
    return [
        usage_charge(item, measure, counts[measure], min(days[measure]), max(days[measure]))
        for measure in Measure
        if measure in counts and item.fee(measure)
    ]


def usage_charge(item: Item, measure: Measure, count: int, first: date, last: date) -> Charge:
    """The line for `count` uses on days from `first` to `last`, on all of which `item` ran."""
    period = Period(first, last + timedelta(days=1))
    text = f"{measure.counted(count)}, {period}"
    return Charge(item, period, item.fee(measure) * count, text, measure, count)
