"""How many invoices a connection has, by year, status and type, and what they come to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import ExtractYear

from connections.models import Connection
from revampd.kit.prepared import prepared

from .models import Invoice


@dataclass(frozen=True, slots=True)
class Group:
    """The invoices of one year, status and type. Amounts are in minor units."""

    year: int
    state: str
    type: str
    number: int
    total: int
    outstanding: int


@dataclass(frozen=True)
class Tally:
    """All groups of a connection in one query; whatever a list says about itself follows.

    `chosen` are the filters of the list: state, type and year, "" for any.
    """

    groups: tuple[Group, ...]

    @classmethod
    def of(cls, connection: Connection) -> Self:
        return cls(tuple(Group(*row) for row in _groups(connection.pk)))

    def years(self) -> list[str]:
        """Those with an invoice, the latest first."""
        return [str(year) for year in sorted({group.year for group in self.groups}, reverse=True)]

    def number(self, chosen: Mapping[str, Any]) -> int:
        return sum(group.number for group in self._of(chosen))

    def billed(self, chosen: Mapping[str, Any]) -> int:
        """What they come to, void ones apart, in minor units."""
        valid = (group for group in self._of(chosen) if group.state != Invoice.State.VOID)
        return sum(group.total for group in valid)

    def owed(self, chosen: Mapping[str, Any]) -> int:
        """What of them is still owed, in minor units."""
        owed = (group for group in self._of(chosen) if group.state in Invoice.UNSETTLED)
        return sum(group.outstanding for group in owed)

    def _of(self, chosen: Mapping[str, Any]) -> Iterator[Group]:
        for group in self.groups:
            if all(str(getattr(group, name)) == value for name, value in chosen.items() if value):
                yield group


@prepared
def _groups(connection: Any) -> QuerySet[Invoice, Any]:
    own = Invoice.objects.filter(connection=connection).order_by()
    by_year = own.annotate(year=ExtractYear("issue_date")).values_list("year", "state", "kind")
    sums: QuerySet[Invoice, Any] = by_year.annotate(
        number=Count("pk"), billed=Sum("total"), left=Sum("outstanding")
    )
    return sums
