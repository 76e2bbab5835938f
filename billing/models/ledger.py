"""The ledger: every movement of money as one row, from one account of a connection to another.

A row has one amount and two accounts, so the ledger is balanced by construction. It is written
beside the documents, never instead of them: `billing.books` compares the two.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q, Sum

from connections.models import Connection
from revampd.kit.constraints import AppendOnly
from revampd.kit.money import MinorUnitsField, Money

# Of what somebody gives as the reason of a movement.
REASON_LENGTH = 200


class Account(models.TextChoices):
    """The accounts of a connection, as its provider sees them."""

    RECEIVABLE = "RECEIVABLE", "Receivable"
    REVENUE = "REVENUE", "Revenue"
    WALLET = "WALLET", "Wallet"
    GRANTS = "GRANTS", "Credits granted"
    CASH = "CASH", "Collected"
    DISPUTED = "DISPUTED", "Disputed"
    REFUNDS_DUE = "REFUNDS_DUE", "Refunds due"
    BAD_DEBT = "BAD_DEBT", "Written off"
    # Of a Partner's connection with Revampd: what its Sub-Orgs paid, and to whom that belongs.
    HELD = "HELD", "Collected for the Partner"
    PAYABLE = "PAYABLE", "Owed to the Partner"
    FEES = "FEES", "Transaction fees"
    REFERRALS = "REFERRALS", "Affiliate shares"
    TRANSIT = "TRANSIT", "On its way to the bank"
    # Of anybody's connection with Revampd: what it earns by those that it brought.
    COMMISSION = "COMMISSION", "Given for referrals"
    REFERRER = "REFERRER", "Owed to the referrer"


class Movement(models.TextChoices):
    """What a transfer tells of; each kind moves between the same two accounts, always."""

    INVOICED = "INVOICED", "Invoice issued"
    GRANTED = "GRANTED", "Credit granted"
    APPLIED = "APPLIED", "Credit applied"
    RETURNED = "RETURNED", "Credit returned"
    DEDUCTED = "DEDUCTED", "Credit deducted"
    PAID = "PAID", "Payment"
    CORRECTED = "CORRECTED", "Credit note"
    REFUND_OWED = "REFUND_OWED", "Refund owed"
    REFUNDED = "REFUNDED", "Refund"
    REFUND_CREDITED = "REFUND_CREDITED", "Refund as credit"
    DISPUTED = "DISPUTED", "Payment disputed"
    DISPUTE_WON = "DISPUTE_WON", "Dispute won"
    DISPUTE_LOST = "DISPUTE_LOST", "Dispute lost"
    VOIDED = "VOIDED", "Invoice void"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"
    EARNED = "EARNED", "Earning"
    FEE_EARNED = "FEE_EARNED", "Transaction fee"
    REFERRAL_EARNED = "REFERRAL_EARNED", "Affiliate share"
    EARNING_BACK = "EARNING_BACK", "Earning taken back"
    FEE_BACK = "FEE_BACK", "Transaction fee given back"
    REFERRAL_BACK = "REFERRAL_BACK", "Affiliate share taken back"
    PAYOUT_CREDITED = "PAYOUT_CREDITED", "Payout as credit"
    PAYOUT_SENT = "PAYOUT_SENT", "Payout sent"
    PAYOUT_PAID = "PAYOUT_PAID", "Payout paid"
    PAYOUT_FAILED = "PAYOUT_FAILED", "Payout failed"
    PAYOUT_RETURNED = "PAYOUT_RETURNED", "Payout returned"
    SHARE_EARNED = "SHARE_EARNED", "Share of a referral"
    SHARE_BACK = "SHARE_BACK", "Share of a referral taken back"
    SHARE_CREDITED = "SHARE_CREDITED", "Affiliate payout as credit"


# What each kind debits and credits.
ACCOUNTS: dict[Movement, tuple[Account, Account]] = {
    Movement.INVOICED: (Account.RECEIVABLE, Account.REVENUE),
    Movement.GRANTED: (Account.GRANTS, Account.WALLET),
    Movement.APPLIED: (Account.WALLET, Account.RECEIVABLE),
    Movement.RETURNED: (Account.RECEIVABLE, Account.WALLET),
    Movement.DEDUCTED: (Account.WALLET, Account.GRANTS),
    Movement.PAID: (Account.CASH, Account.RECEIVABLE),
    Movement.CORRECTED: (Account.REVENUE, Account.RECEIVABLE),
    Movement.REFUND_OWED: (Account.RECEIVABLE, Account.REFUNDS_DUE),
    Movement.REFUNDED: (Account.REFUNDS_DUE, Account.CASH),
    Movement.REFUND_CREDITED: (Account.REFUNDS_DUE, Account.WALLET),
    Movement.DISPUTED: (Account.DISPUTED, Account.CASH),
    Movement.DISPUTE_WON: (Account.CASH, Account.DISPUTED),
    Movement.DISPUTE_LOST: (Account.RECEIVABLE, Account.DISPUTED),
    Movement.VOIDED: (Account.REVENUE, Account.RECEIVABLE),
    Movement.WRITTEN_OFF: (Account.BAD_DEBT, Account.RECEIVABLE),
    Movement.EARNED: (Account.HELD, Account.PAYABLE),
    Movement.FEE_EARNED: (Account.HELD, Account.FEES),
    Movement.REFERRAL_EARNED: (Account.HELD, Account.REFERRALS),
    Movement.EARNING_BACK: (Account.PAYABLE, Account.HELD),
    Movement.FEE_BACK: (Account.FEES, Account.HELD),
    Movement.REFERRAL_BACK: (Account.REFERRALS, Account.HELD),
    Movement.PAYOUT_CREDITED: (Account.PAYABLE, Account.WALLET),
    Movement.PAYOUT_SENT: (Account.PAYABLE, Account.TRANSIT),
    Movement.PAYOUT_PAID: (Account.TRANSIT, Account.HELD),
    Movement.PAYOUT_FAILED: (Account.TRANSIT, Account.PAYABLE),
    Movement.PAYOUT_RETURNED: (Account.HELD, Account.PAYABLE),
    Movement.SHARE_EARNED: (Account.COMMISSION, Account.REFERRER),
    Movement.SHARE_BACK: (Account.REFERRER, Account.COMMISSION),
    Movement.SHARE_CREDITED: (Account.REFERRER, Account.WALLET),
}


# What the app of payouts books, and compares with its documents.
OF_PAYOUTS = (Account.HELD, Account.PAYABLE, Account.FEES, Account.REFERRALS, Account.TRANSIT)
# The same for affiliates, whose documents are shares and payouts of another kind.
OF_AFFILIATES = (Account.COMMISSION, Account.REFERRER)


def _any_known_movement() -> Q:
    rule = Q(pk__in=[])
    for kind, (debit, credit) in ACCOUNTS.items():
        rule |= Q(kind=kind.value, debit=debit.value, credit=credit.value)
    return rule


@dataclass(frozen=True, slots=True)
class Entry:
    """A transfer to be: what moved, how much of it (minor units), and by which document."""

    connection_id: UUID
    kind: Movement
    amount: int
    document: UUID


class TransferQuerySet(models.QuerySet["Transfer"]):
    def balance(self, account: Account, currency: str) -> Money:
        """What `account` holds: debits less credits."""
        sums = self.aggregate(
            debits=Sum("amount", filter=Q(debit=account), default=0),
            credits=Sum("amount", filter=Q(credit=account), default=0),
        )
        return Money(sums["debits"] - sums["credits"], currency)


class Transfer(AppendOnly):
    """One movement of money, in minor units, naming the document that it comes from."""

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="transfers", db_index=False
    )
    kind = models.CharField(max_length=15, choices=Movement)
    debit = models.CharField(max_length=11, choices=Account)
    credit = models.CharField(max_length=11, choices=Account)
    amount = MinorUnitsField()
    document = models.UUIDField()
    at = models.DateTimeField()

    objects: ClassVar[Any] = TransferQuerySet.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["document", "kind"], name="transfer_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount"),
            models.CheckConstraint(condition=_any_known_movement(), name="transfer_accounts"),
        ]
        indexes = [models.Index(fields=["connection", "-id"], name="transfer_of_connection")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @classmethod
    def book(cls, *entries: Entry, at: datetime) -> None:
        """Write the movements, in the transaction of their documents; those of nothing are none."""
        cls.objects.bulk_create(
            cls(
                connection_id=entry.connection_id,
                kind=entry.kind,
                debit=ACCOUNTS[entry.kind][0],
                credit=ACCOUNTS[entry.kind][1],
                amount=entry.amount,
                document=entry.document,
                at=at,
            )
            for entry in entries
            if entry.amount
        )
