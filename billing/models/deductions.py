"""Deductions: what a provider takes back out of a wallet, in minor units."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing import events
from connections.models import Connection, User
from revampd.kit.constraints import AppendOnly
from revampd.kit.errors import Invalid
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .applications import CreditApplication
from .ledger import REASON_LENGTH


class InsufficientCredit(Invalid):
    """The wallet holds less than was to be taken out."""


class Deduction(AppendOnly):
    """A negative adjustment: what the provider takes back out of the wallet, with a reason."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="deductions")
    currency = CurrencyField()
    amount = MinorUnitsField()
    reason = models.CharField(max_length=REASON_LENGTH)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["connection", "id"], name="deduction_connection_id"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="deduction_amount"),
            models.CheckConstraint(condition=~Q(reason=""), name="deduction_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.total} ({self.reason})"

    # Factories

    @classmethod
    def take(
        cls,
        connection: Connection,
        minor: int,
        *,
        reason: str,
        by: User,
        at: datetime,
        key: uuid.UUID | None = None,
    ) -> "Deduction":
        """Take `minor` units out, oldest credit first. The caller holds the connection's lock.

        Raises InsufficientCredit if the wallet holds less.
        """
        balance = cls.guard(connection, minor)
        deduction = cls.objects.create(
            pk=key or uuid.uuid4(),
            connection=connection,
            currency=connection.currency,
            amount=minor,
            reason=reason,
            made_by=by,
            made_at=at,
        )
        CreditApplication.spend(connection, minor, at=at, deduction=deduction)
        events.credit_deducted.record(
            deduction,
            by=by,
            at=at,
            organization=connection.provider,
            connection=connection,
            amount=deduction.total,
            reason=reason,
            balance=balance - deduction.total,
            provider=connection.provider.name,
        )
        return deduction

    @staticmethod
    def guard(connection: Connection, minor: int) -> Money:
        """What the wallet holds, if that is `minor` units at least. Raises InsufficientCredit."""
        balance: Money = connection.credits.balance(connection.currency)
        if balance.minor < minor:
            raise InsufficientCredit(
                f"The wallet holds {balance}, so no more can be taken out.", field="amount"
            )
        return balance

    # Properties

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)
