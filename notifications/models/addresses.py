"""Addresses from which mail comes back: nothing more is sent there until somebody tries again."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from revampd.kit.prepared import prepared


class Undeliverable(models.Model):
    """Mail to this address came back for good. To try it again removes the row."""

    address = models.EmailField(unique=True)
    since = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "address that bounces"
        verbose_name_plural = "addresses that bounce"
        constraints = [
            models.CheckConstraint(
                condition=Q(address=Lower("address")), name="undeliverable_in_small_letters"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @classmethod
    def at(cls, address: str) -> "Undeliverable | None":
        """The mark on an address; None for one that takes mail, as far as anybody knows."""
        return _at.first(address.lower())

    @classmethod
    def mark(cls, address: str, reason: str, *, at: datetime) -> bool:
        """Whether that is new. The first reason stays."""
        _, is_new = cls.objects.get_or_create(
            address=address.lower(), defaults={"since": at, "reason": reason[:500]}
        )
        return is_new

    @classmethod
    def lift(cls, address: str) -> bool:
        """Whether there was a mark."""
        removed, _ = cls.objects.filter(address=address.lower()).delete()
        return removed > 0


@prepared
def _at(address: Any) -> models.QuerySet[Undeliverable]:
    return Undeliverable.objects.filter(address=address)
