"""The bell: how many notifications a person has not read, and a version that says "unchanged"."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from connections.models import User
from revampd.kit.prepared import prepared

from .models import Notification

CAP = 100


@dataclass(frozen=True)
class Bell:
    """`unread` counts up to 100; `version` changes whenever the bell would look different."""

    unread: int
    version: str

    @property
    def label(self) -> str:
        return str(self.unread) if self.unread < CAP else f"{CAP - 1}+"


@prepared
def _newest_unread(user: Any) -> "models.QuerySet[Notification, int]":
    unread = Notification.objects.of(user).unread().order_by("-id")
    ids: models.QuerySet[Notification, int] = unread.values_list("id", flat=True)
    return ids[:CAP]


def bell_of(user: User) -> Bell:
    """One query over the index of unread notifications, which reads at most a hundred entries."""
    newest = _newest_unread(user.pk)
    return Bell(len(newest), f"{newest[0] if newest else 0}.{len(newest)}")
