"""Settlements: how what was available of a payout was divided, once."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.models import Credit
from connections.models import Connection, User
from payouts import events
from revampd.kit.constraints import AppendOnly, CompositeForeignKey
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

if TYPE_CHECKING:
    from .payouts import Payout


class Settlement(AppendOnly):
    """So much to the wallet and so much to the bank, together what was available.

    A payout has another one only if a transfer of the one before failed. `settled_by` is empty
    where the Partner's standing preference did it. The trigger counts it in its payout.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    payout = models.ForeignKey(
        "payouts.Payout", on_delete=models.PROTECT, related_name="settlements", db_constraint=False
    )
    currency = CurrencyField()
    credited = MinorUnitsField()
    banked = MinorUnitsField()
    credit = models.OneToOneField(
        Credit, on_delete=models.PROTECT, null=True, related_name="settlement", db_constraint=False
    )
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            # The bank transfer points here: of this payout, and over this amount.
            models.UniqueConstraint(
                fields=["connection", "id", "payout", "banked"], name="settlement_parts"
            ),
            CompositeForeignKey(
                name="settlement_of_payout",
                fields=["connection", "payout"],
                to="payouts.Payout",
                to_fields=["connection", "id"],
            ),
            CompositeForeignKey(
                name="settlement_to_own_wallet",
                fields=["connection", "credit"],
                to="billing.Credit",
                to_fields=["connection", "id"],
            ),
            models.CheckConstraint(
                condition=Q(credited=0, credit=None, banked__gt=0)
                | Q(credited__gt=0, credit__isnull=False, banked__gte=0),
                name="settlement_of_something",
            ),
        ]
        triggers = [
            *AppendOnly.Meta.triggers,
            pgtrigger.Trigger(
                name="counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE payouts_payout
                    SET credited = credited + NEW.credited, banked = banked + NEW.banked,
                        state = CASE WHEN NEW.banked > 0 THEN 'IN_TRANSIT' ELSE 'SETTLED' END
                    WHERE id = NEW.payout_id AND state = 'AVAILABLE'
                        AND amount - credited - banked = NEW.credited + NEW.banked;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'a settlement is all that is available of its payout'
                            USING ERRCODE = 'integrity_constraint_violation';
                    ELSIF NEW.credit_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM billing_credit WHERE id = NEW.credit_id
                        AND origin = 'PAYOUT' AND amount = NEW.credited
                    ) THEN
                        RAISE EXCEPTION 'a settlement puts its own amount into the wallet'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"settlement of {self.payout}"

    # Factories

    @classmethod
    def make(
        cls, payout: "Payout", *, credit: int, banked: int, by: User | None, at: datetime
    ) -> "Settlement":
        """Write it down, with the lot of credit that it makes. The caller holds the lock."""
        settlement = cls.objects.create(
            connection=payout.connection,
            payout=payout,
            currency=payout.currency,
            credited=credit,
            banked=banked,
            credit=cls._grant(payout, credit, by, at) if credit else None,
            settled_by=by,
            settled_at=at,
        )
        events.payout_settled.record(
            payout,
            by=by,
            at=at,
            organization=payout.connection.customer,
            connection=payout.connection,
            week=payout.week,
            parts=settlement.in_words,
            credited=settlement.credited_money,
            banked=settlement.banked_money,
            provider=payout.connection.provider.name,
            customer=payout.connection.customer.name,
        )
        return settlement

    @staticmethod
    def _grant(payout: "Payout", minor: int, by: User | None, at: datetime) -> Credit:
        return Credit.grant(
            payout.connection,
            minor,
            origin=Credit.Origin.PAYOUT,
            reason=f"Partner payout, {payout.week}",
            by=by,
            at=at,
        )

    # Properties

    @property
    def credited_money(self) -> Money:
        return Money(self.credited, self.currency)

    @property
    def banked_money(self) -> Money:
        return Money(self.banked, self.currency)

    @property
    def in_words(self) -> str:
        """Where the money went."""
        parts = (
            (self.credited_money, "{} to the wallet"),
            (self.banked_money, "{} to the bank"),
        )
        return " and ".join(words.format(money) for money, words in parts if money)

    @property
    def sent(self) -> Any:
        """The bank transfer of it, None if nothing went to the bank."""
        return getattr(self, "bank_transfer", None)
