"""How many customers a list would show: in all, and for each way to narrow it down further."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from connections.models import Connection

Choice = tuple[str, str, int]  # the value in the address, its label, how many there are
YES = "yes"


@dataclass(frozen=True, slots=True)
class Group:
    """The customers that stand alike."""

    state: str
    is_waiting: bool
    is_overdue: bool
    number: int

    def has(self, name: str, value: str) -> bool:
        """Whether they are found by this part of the address."""
        return self.state == value if name == "state" else bool(getattr(self, f"is_{name}"))


@dataclass(frozen=True)
class Census:
    """How everybody stands whom the rest of the address finds.

    `chosen` are the parts of it that narrow down by how they stand, "" for any: state, waiting
    and overdue. `there` are the states in which there is anybody, found or not.
    """

    groups: tuple[Group, ...]
    chosen: Mapping[str, str]
    there: frozenset[str]

    @classmethod
    def of(
        cls,
        rows: Iterable[tuple[str, bool, bool, int]],
        chosen: Mapping[str, str],
        there: Iterable[str] = (),
    ) -> Self:
        """`there` has to be told only if the rest of the address narrows down at all."""
        groups = tuple(Group(*row) for row in rows)
        return cls(groups, chosen, frozenset(there) | {group.state for group in groups})

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
        return self.number(waiting=YES)

    @property
    def overdue(self) -> int:
        return self.number(overdue=YES)

    def states(self) -> list[Choice]:
        """Those in which there is anybody, found or not, and the one that is chosen."""
        offered = self.there | {self.chosen["state"]}
        known = [state for state in Connection.State if state.value in offered]
        return [(state.value, str(state.label), self.number(state=state)) for state in known]
