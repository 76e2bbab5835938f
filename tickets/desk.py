"""A list of tickets as one side sees it: of a connection, of an organization, or escalated."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Value, When
from django.urls import reverse

from connections.access import Party
from connections.models import Membership, User

from .filters import NOBODY, TicketFilter, TicketNarrowing
from .models import Side, Ticket, Unread
from .models.records import TONES, Priority, Status

RANKS = [When(priority=priority, then=Value(rank)) for rank, priority in enumerate(Priority)]
ACTIVITY = {
    Side.CUSTOMER: "customer_at",
    Side.PROVIDER: "provider_at",
    Side.REVAMPD: "revampd_at",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket in a list."""

    reference: str
    title: str
    url: str
    status: str
    tone: str
    priority: str
    customer: str
    provider: str
    assignee: str
    activity: datetime
    is_unread: bool
    is_urgent: bool
    is_escalated: bool


class Desk:
    """What the address asks for, of all that `side` may see."""

    def __init__(self, rows: QuerySet[Any], side: Side, reader: User, asked: Any) -> None:
        self._side, self._reader, self._asked = side, reader, asked
        assignee = "revampd_assignee" if side == Side.REVAMPD else "assignee"
        self._assignee = assignee
        self._rows = rows.annotate(
            activity=F(ACTIVITY[side]),
            looked_after_by=F(f"{assignee}_id"),
            rank=Case(*RANKS, default=Value(0)),
        ).order_by("-activity", "-pk")

    @classmethod
    def of_party(cls, party: Party, asked: Any) -> Self:
        """The tickets of a connection; with `?escalated=yes` those that its customer escalated."""
        connection = party.connection
        if party.is_customer:
            return cls(connection.tickets.all(), Side.CUSTOMER, party.user, asked)
        if connection.sells_tiers and asked.get("escalated"):
            rows = connection.escalated_tickets.escalated()
            return cls(rows, Side.REVAMPD, party.user, asked)
        return cls(_narrowed(connection.tickets.all(), asked), Side.PROVIDER, party.user, asked)

    @classmethod
    def of_organization(cls, membership: Membership, asked: Any) -> Self:
        """What all customers of a seller ask; for Revampd also what Partners escalated to it."""
        seller, reader = membership.organization, membership.user
        if seller.is_platform and asked.get("escalated"):
            return cls(Ticket.objects.escalated(), Side.REVAMPD, reader, asked)
        rows = Ticket.objects.filter(provider=seller)
        return cls(_narrowed(rows, asked), Side.PROVIDER, reader, asked)

    # The rows

    @cached_property
    def _filter(self) -> TicketFilter:
        return TicketFilter(self._asked, self._rows, side=self._side, reader=self._reader)

    def found(self) -> Any:
        """The rows as values, in the order that was asked for."""
        unread = Unread.objects.of(self._reader).filter(ticket=OuterRef("pk"))
        return self._filter.qs.annotate(
            is_unread=Exists(unread), said=F(f"{self._side.lower()}_length")
        ).values(
            *("pk", "number", "title", "status", "priority", "activity", "is_unread", "said"),
            *("opened_at", "opened_by__name", "connection_id", "escalated_over_id"),
            *("revampd_until", "connection__customer__name", "connection__provider__name"),
            f"{self._assignee}__name",
        )

    def shown(self, rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
        """Rows of `found` as a page shows them."""
        return (self._row(row) for row in rows)

    def _row(self, row: dict[str, Any]) -> Row:
        escalated = row["escalated_over_id"] is not None and row["revampd_until"] is None
        over: UUID = row["connection_id"]
        if self._side == Side.REVAMPD:
            over = row["escalated_over_id"]
        return Row(
            reference=f"#{row['number']}",
            title=row["title"],
            url=reverse("tickets:ticket", args=[over, row["pk"]]),
            status=Status(row["status"]).label,
            tone=TONES[Status(row["status"])],
            priority=Priority(row["priority"]).label,
            customer=row["connection__customer__name"],
            provider=row["connection__provider__name"],
            assignee=self.assignee_of(row),
            activity=row["activity"],
            is_unread=row["is_unread"],
            is_urgent=row["priority"] == Priority.HIGH,
            is_escalated=escalated and self._side != Side.CUSTOMER,
        )

    def assignee_of(self, row: dict[str, Any]) -> str:
        """Who looks after it on this side."""
        return row[f"{self._assignee}__name"] or ""

    # What there is to choose from

    @property
    def chosen(self) -> dict[str, Any]:
        form = self._filter.form
        form.is_valid()  # What it does not know, it leaves out.
        return {name: str(form.cleaned_data.get(name) or "") for name in form.fields}

    @cached_property
    def _counts(self) -> list[tuple[str, int | None, str | None, int]]:
        """How many stand how and are looked after by whom, whatever of the two was chosen."""
        narrowing = TicketNarrowing(self._asked, self._rows, side=self._side, reader=self._reader)
        rows = narrowing.qs.order_by().values_list(
            "status", "looked_after_by", f"{self._assignee}__name"
        )
        return list(rows.annotate(number=Count("pk")))

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        """(value, label, number), with the assignee that was chosen."""
        counts: Counter[str] = Counter()
        for status, who, _, number in self._counts:
            counts[status] += number if self._is_chosen(who) else 0
        return [(one.value, one.label, counts[one.value]) for one in Status]

    @property
    def assignees(self) -> list[tuple[str, str, int]]:
        """(value, name, number), oneself first and nobody last, with the status that was chosen."""
        counts: Counter[tuple[str, str]] = Counter()
        status = self.chosen["status"]
        for stands, who, name, number in self._counts:
            key = (str(who or NOBODY), name or "Nobody")
            counts[key] += number if not status or stands == status else 0
        me = str(self._reader.pk)
        order = sorted(counts, key=lambda one: (one[0] == NOBODY, one[0] != me, one[1].lower()))
        return [(key, name, counts[key, name]) for key, name in order]

    @property
    def total(self) -> int:
        """All that the assignee and the rest leave, whatever their status."""
        return sum(number for _, _, number in self.statuses)

    @property
    def number(self) -> int:
        """How many rows `found` has, without asking again."""
        status = self.chosen["status"]
        return sum(n for value, _, n in self.statuses if not status or value == status)

    def _is_chosen(self, who: int | None) -> bool:
        asked = self.chosen["assignee"]
        known = asked == NOBODY or (asked.isascii() and asked.isdecimal() and len(asked) < 19)
        return not known or asked == str(who or NOBODY)

    @property
    def is_escalated(self) -> bool:
        return self._side == Side.REVAMPD


def _narrowed(rows: Any, asked: Any) -> Any:
    """For a Partner `?escalated=yes` are those of its own that are with Revampd."""
    return rows.escalated() if asked.get("escalated") else rows
