"""What happened while the demo's clock was moved, day by day, for the person who looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.utils.text import capfirst

from connections.kinds import in_words, kind_of
from connections.models import Connection, Event, User
from notifications.models import Notification
from revampd.models import ClockMove

PAGE_LENGTH = 50


@dataclass(frozen=True)
class Happening:
    """One line: what happened between whom, about which item, and the page that shows it."""

    title: str
    parties: str
    item: str
    icon: str
    tone: str
    url: str


@dataclass(frozen=True)
class Day:
    """What happened on one day, each line on its own connection's clock."""

    date: date
    entries: list[Happening]


class Summary:
    """Of the connections that `reader` may see; what happened on others is only counted."""

    def __init__(self, move: ClockMove, reader: User, page: str | None) -> None:
        happened = _happened(move)
        self._own = happened.filter(connection__in=Connection.objects.of(reader))
        self.elsewhere = happened.count() - self._own.count()
        ordered = self._own.order_by("at", "id").select_related(
            "connection__provider", "connection__customer"
        )
        self.page: Page[Any] = Paginator(ordered, PAGE_LENGTH).get_page(page)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How often each kind of thing happened, and how many were told, the most first."""
        codes = self._own.order_by().values_list("code").annotate(number=Count("id"))
        counts = [(_plural(code), number) for code, number in codes.order_by("-number", "code")]
        told = Notification.objects.filter(event__in=self._own.order_by()).count()
        return [*counts, ("Notifications", told)] if counts else []

    @property
    def days(self) -> list[Day]:
        grouped = groupby(self.page, key=lambda event: event.connection.day_of(event.at))
        return [Day(day, _entries(events)) for day, events in grouped]


def _happened(move: ClockMove) -> QuerySet[Event]:
    """What the product itself did on the way; people who acted meanwhile are no part of it."""
    events: QuerySet[Event] = Event.objects.filter(
        actor=None,
        recorded_at__gte=move.started_at,
        connection__in=ClockMove.moved(move.connection),
    )
    return events.filter(recorded_at__lte=move.finished_at) if move.finished_at else events


def _entries(events: Iterable[Event]) -> list[Happening]:
    return [
        Happening(
            title=capfirst(in_words(kind_of(event).sentence, event)),
            parties=str(event.connection),
            item=event.facts.get("item", ""),
            icon=kind_of(event).icon or "dot",
            tone=kind_of(event).tone,
            url=kind_of(event).path(event),
        )
        for event in events
    ]


def _plural(code: str) -> str:
    """ "invoice.issued" as a heading: "Invoices issued"."""
    noun, _, participle = code.removeprefix("billing_").replace("_", " ").partition(".")
    return f"{capfirst(noun)}s {participle}"
