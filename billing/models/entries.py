"""Usage on its way in: what somebody wants to enter, and the plan that charges it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.formats import date_format

from billing.pricing import Item, ItemKind, Measure
from connections.models import Connection
from revampd.kit.errors import Invalid
from revampd.kit.money import Money

from .items import SubscriptionItem

MAX_COUNT = 10_000  # of one entry
KEY_LENGTH = 100
LONGEST_AGO = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """So many bookings or transfers on a day; `key` is unique among those of the connection."""

    connection_id: UUID
    measure: Measure
    used_on: date
    quantity: int
    key: str

    def __str__(self) -> str:
        return f"{self.measure.counted(self.quantity)} on {_words(self.used_on)}"


@dataclass(frozen=True, slots=True)
class Metered:
    """An entry that can be, with the plan whose fee it costs."""

    entry: UsageEntry
    plan: Item

    @property
    def cost(self) -> Money:
        return self.plan.fee(self.entry.measure) * self.entry.quantity


@dataclass(frozen=True)
class Meter:
    """What one connection can be charged for by number: its plans, up to `at` on its own clock."""

    connection: Connection
    at: datetime
    plans: tuple[Item, ...]

    @classmethod
    def each(
        cls, connections: Iterable[Connection], moment: Callable[[Connection], datetime]
    ) -> "dict[UUID, Meter]":
        """The meters of many connections in one query; `moment` is the time that each has."""
        connections = list(connections)
        plans: dict[Any, list[Item]] = defaultdict(list)
        rows = SubscriptionItem.objects.filter(
            kind=ItemKind.PLAN,
            subscription__connection__in=connections,
            subscription__end_date__isnull=True,
        )
        for row in rows.in_order().select_related("subscription"):
            plans[row.connection_id].append(row.as_item())
        return {c.pk: cls(c, moment(c), tuple(plans[c.pk])) for c in connections}

    def measure(self, entry: UsageEntry) -> Metered:
        """The plan that charges `entry`. Raises Invalid, with the field that is wrong."""
        self._check_key(entry.key)
        if not 1 <= entry.quantity <= MAX_COUNT:
            raise Invalid(f"Enter a number from 1 to {MAX_COUNT:,}.", field="quantity")
        self._check_day(entry.used_on)
        plan = next((plan for plan in self.plans if plan.runs_on(entry.used_on)), None)
        if plan is None:
            raise Invalid(f"No plan ran on {_words(entry.used_on)}.", field="used_on")
        if not plan.fee(entry.measure):
            raise Invalid(
                f"{plan.name}, which ran on {_words(entry.used_on)}, has no fee for "
                f"{entry.measure.label}s.",
                field="measure",
            )
        return Metered(entry, plan)

    def _check_key(self, key: str) -> None:
        if not key or key != key.strip() or not key.isprintable():
            raise Invalid("Enter a key of letters, digits and signs.", field="key")
        if len(key) > KEY_LENGTH:
            raise Invalid(f"Keep the key under {KEY_LENGTH + 1} characters.", field="key")

    def _check_day(self, day: date) -> None:
        today = self.connection.day_of(self.at)
        if not self.plans:
            raise Invalid(
                "No plan runs on this connection, so that no invoice would bill it.",
                field="used_on",
            )
        if day > today:
            raise Invalid(f"{_words(day)} has not come yet.", field="used_on")
        if day < today - LONGEST_AGO:
            raise Invalid(f"{_words(day)} is more than a year ago.", field="used_on")


def _words(day: date) -> str:
    return date_format(day, "j M Y")
