"""How lists of tickets narrow down and sort: all of it in the address."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from connections.models import User
from revampd.kit.narrowing import Narrowing, StableOrdering

from .models import Unread
from .models.records import Priority, Status

YES = [("yes", "Yes")]
NOBODY = "-"


class TicketNarrowing(Narrowing):
    """`?q=`, `?priority=`, `?unread=yes`, of rows that a `Desk` has made ready."""

    q = filters.CharFilter(method="narrow_by_text")
    priority = filters.ChoiceFilter(choices=Priority.choices)
    unread = filters.ChoiceFilter(choices=YES, method="narrow_by_unread")

    def __init__(self, data: Any, rows: QuerySet[Any], *, side: str, reader: User) -> None:
        self.side, self.reader = side, reader
        super().__init__(data, rows)

    def narrow_by_text(self, rows: Any, _name: str, text: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.matching(text, self.side)
        return found

    def narrow_by_unread(self, rows: QuerySet[Any], _name: str, _yes: str) -> QuerySet[Any]:
        return rows.filter(pk__in=Unread.objects.of(self.reader).values("ticket"))


class TicketFilter(TicketNarrowing):
    """Besides, `?status=`, `?assignee=` (a person's number, "-" is nobody) and `?sort=`."""

    status = filters.ChoiceFilter(choices=Status.choices)
    assignee = filters.CharFilter(method="narrow_by_assignee")
    sort = StableOrdering(
        fields={"activity": "activity", "opened_at": "opened", "rank": "priority"},
        tie=("-activity", "-pk"),
    )

    def narrow_by_assignee(self, rows: QuerySet[Any], _name: str, who: str) -> QuerySet[Any]:
        if who == NOBODY:
            return rows.filter(looked_after_by=None)
        if who.isascii() and who.isdecimal() and len(who) < 19:
            return rows.filter(looked_after_by=int(who))
        return rows
