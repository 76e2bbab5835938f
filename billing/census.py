"""How many customers a list would show: in all, and for each way to narrow it down further."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from connections.models import Connection, Membership, Organization

from .filters import NO_PLAN
from .pricing import ItemKind

Choice = tuple[str, str, int]  # the value in the address, its label, how many there are


@dataclass(frozen=True, slots=True)
class Group:
    """The customers that are alike in all that the list narrows down by."""

    state: str
    plan: str
    sales_owner: int | None
    support_owner: int | None
    is_waiting: bool
    is_overdue: bool
    number: int

    def has(self, name: str, value: str) -> bool:
        """Whether they are found by this part of the address."""
        if name == "owner":
            return value in (str(self.sales_owner), str(self.support_owner))
        if name in ("waiting", "overdue"):
            return self.is_waiting if name == "waiting" else self.is_overdue
        return value == (self.state if name == "state" else self.plan or NO_PLAN)


@dataclass(frozen=True)
class Census:
    """All groups in one query; `chosen` is what the address narrows down by, "" for any."""

    groups: tuple[Group, ...]
    chosen: Mapping[str, str]

    @classmethod
    def of(cls, rows: QuerySet[Any], chosen: Mapping[str, str]) -> Self:
        """Of `portfolio.customers`, narrowed down by no more than a text."""
        of_plan = Q(live__items__kind=ItemKind.PLAN, live__items__start_date__lte=F("day"))
        unended = Q(live__items__end_date__isnull=True) | Q(live__items__end_date__gt=F("day"))
        is_live = Q(subscriptions__end_date__isnull=True)
        # Joins, because the plan of each customer is asked for: it has one at most.
        with_plans = rows.annotate(
            live=FilteredRelation("subscriptions", condition=is_live),
            plan=FilteredRelation("live__items", condition=of_plan & unended),
            plan_name=Coalesce("plan__name", Value("")),
        )
        alike = ("state", "plan_name", "sales_owner", "support_owner", "is_waiting", "is_overdue")
        found = with_plans.order_by().values_list(*alike).annotate(number=Count("pk"))
        return cls(tuple(Group(*row) for row in found), chosen)

    def number(self, **other: str) -> int:
        """How many are found, with some parts of the address as `other` says."""
        asked = {name: value for name, value in {**self.chosen, **other}.items() if value}
        return sum(
            group.number
            for group in self.groups
            if all(group.has(name, value) for name, value in asked.items())
        )

    @property
    def in_all_states(self) -> int:
        return self.number(state="")

    @property
    def waiting(self) -> int:
        return self.number(waiting="yes")

    @property
    def overdue(self) -> int:
        return self.number(overdue="yes")

    def states(self) -> list[Choice]:
        """Those in which there is anybody, and the one that is chosen."""
        there = {group.state for group in self.groups} | {self.chosen["state"]}
        known = [state for state in Connection.State if state.value in there]
        return [(state.value, str(state.label), self.number(state=state)) for state in known]

    def plans(self) -> list[Choice]:
        """By their names; whoever has none comes last."""
        names = sorted({group.plan for group in self.groups if group.plan}, key=str.lower)
        named = [(name, name, self.number(plan=name)) for name in names]
        without = self.number(plan=NO_PLAN)
        return [*named, (NO_PLAN, "No plan", without)]

    def owners(self, provider: Organization) -> list[Choice]:
        """Members of `provider` who look after anybody, by their names; one query."""
        pairs = [(group.sales_owner, group.support_owner) for group in self.groups]
        keys = {key for pair in pairs for key in pair if key}
        members = Membership.objects.filter(organization=provider, pk__in=keys)
        named = members.select_related("user").order_by("user__name", "pk")
        return [(str(m.pk), m.user.name, self.number(owner=str(m.pk))) for m in named]
