"""Standing preferences: how a Partner wants its payouts settled by themselves."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from billing.pricing import allocate
from connections.models import Connection, User
from payouts import events
from revampd.kit.errors import Invalid
from revampd.kit.locking import lock


class Preference(models.Model):
    """What is done with a payout as soon as it is available; without a row, nothing.

    `credit_percent` is the part of a split that goes to the wallet. Whoever chose it may settle.
    """

    class Kind(models.TextChoices):
        BY_HAND = "BY_HAND", "Ask me every time"
        CREDIT = "CREDIT", "All to the wallet"
        TRANSFER = "TRANSFER", "All to the bank"
        SPLIT = "SPLIT", "Split"

    connection = models.OneToOneField(
        Connection, on_delete=models.PROTECT, primary_key=True, related_name="payout_preference"
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.BY_HAND)
    credit_percent = models.PositiveSmallIntegerField(null=True)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="SPLIT", credit_percent__gte=1, credit_percent__lte=99)
                | Q(kind__in=["BY_HAND", "CREDIT", "TRANSFER"], credit_percent=None),
                name="preference_split",
            ),
        ]

    def __str__(self) -> str:
        return self.in_words

    # Verbs

    @classmethod
    @transaction.atomic
    def choose(
        cls,
        connection: Connection,
        kind: "Preference.Kind",
        *,
        credit_percent: int | None = None,
        by: User,
        at: datetime,
    ) -> "Preference":
        """From now on, settle so what becomes available. Raises Invalid, NotAllowed."""
        connection = lock(connection)
        connection.customer.require_biller(by)
        if kind == cls.Kind.SPLIT and not 1 <= (credit_percent or 0) <= 99:
            raise Invalid("Enter a percentage from 1 to 99.", field="credit_percent")
        given: dict[str, Any] = {
            "kind": kind,
            "credit_percent": credit_percent if kind == cls.Kind.SPLIT else None,
            "chosen_by": by,
            "chosen_at": at,
        }
        preference, _ = cls.objects.update_or_create(connection=connection, defaults=given)
        events.preference_chosen.record(
            preference,
            by=by,
            at=at,
            organization=connection.customer,
            connection=connection,
            preference=preference.in_words,
        )
        return preference

    # Properties

    def parts(self, minor: int) -> tuple[int, int]:
        """How it divides `minor` units: to the wallet, and to the bank."""
        if self.kind == self.Kind.CREDIT:
            return minor, 0
        if self.kind == self.Kind.TRANSFER:
            return 0, minor
        percent = self.credit_percent or 0
        credit, transfer = allocate(minor, [percent, 100 - percent])
        return credit, transfer

    @property
    def is_automatic(self) -> bool:
        return self.kind != self.Kind.BY_HAND

    @property
    def in_words(self) -> str:
        if self.kind == self.Kind.SPLIT:
            return f"{self.credit_percent} % to the wallet, the rest to the bank"
        return str(self.Kind(self.kind).label)
