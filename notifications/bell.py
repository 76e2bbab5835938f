"""The bell: how many notifications a person has not read, and a version that says "unchanged"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import QuerySet

from connections.models import User
from revampd.kit.prepared import prepared

from .models import Notification

CAP = 100


@dataclass(frozen=True)
class Bell:
    """`unread` counts up to 100; `version` changes whenever the bell would look different."""

    unread: int
    version: str

    @classmethod
    def of(cls, newest: Sequence[int]) -> Self:
        """The bell of somebody whose newest unread ones, a hundred at most, have these ids."""
        return cls(len(newest), f"{newest[0] if newest else 0}.{len(newest)}")

    @property
    def label(self) -> str:
        return str(self.unread) if self.unread < CAP else f"{CAP - 1}+"


def bell_of(user: User) -> Bell:
    """One query over the index of unread notifications, which reads at most a hundred entries."""
    return Bell.of(_newest_unread(user.pk))


def newest_unread(user: Any) -> QuerySet[Any, int]:
    """Their ids, the newest first, and no more than the bell counts."""
    unread = Notification.objects.of(user).unread().order_by("-id")
    ids: QuerySet[Any, int] = unread.values_list("id", flat=True)[:CAP]
    return ids


_newest_unread = prepared(newest_unread)
