"""The books of the sandbox's bank. They are its own: nothing of ours points at them."""

from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Q

from billing.gateways.base import CustomerRef, KeyReused, Outcome, State
from billing.models.sandbox.network import new_reference
from payouts.gateways.accounts import (
    ARRIVES_AFTER,
    BY_NAME,
    RETURNS_AFTER,
    Behaviour,
    TestAccount,
)
from payouts.gateways.base import BankDetails, TransferOrder
from payouts.gateways.failures import failure
from revampd.kit.locking import lock
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

STATES = [(state.value, state.value.capitalize()) for state in State]


class SandboxBank(models.Model):
    """A linked test account, by its name in `accounts.BY_NAME`."""

    reference = models.CharField(max_length=40, primary_key=True)
    owner = models.UUIDField()
    name = models.CharField(max_length=20)

    def __str__(self) -> str:
        return f"{self.test_account.bank} {self.test_account.last4}"

    @property
    def test_account(self) -> TestAccount:
        return BY_NAME[self.name]


class SandboxLink(models.Model):
    """A visit to the page on which an account is linked."""

    reference = models.CharField(max_length=40, primary_key=True)
    owner = models.UUIDField()
    return_url = models.CharField(max_length=500)
    begun_at = models.DateTimeField()
    account = models.OneToOneField(SandboxBank, on_delete=models.PROTECT, null=True)

    def __str__(self) -> str:
        return self.reference

    # Verbs

    @classmethod
    def begin(cls, owner: CustomerRef, return_url: str, *, at: datetime) -> Self:
        link: Self = cls.objects.create(
            reference=new_reference("link"), owner=owner.key, return_url=return_url, begun_at=at
        )
        return link

    @transaction.atomic
    def complete(self, name: str) -> None:
        """Link the test account of this name; once done, nothing changes any more."""
        if lock(self).account_id is not None:
            return
        account = SandboxBank.objects.create(
            reference=new_reference("bank"), owner=self.owner, name=name
        )
        type(self).objects.filter(pk=self.pk).update(account=account)

    # Properties

    @property
    def details(self) -> BankDetails | None:
        if self.account is None:
            return None
        test_account = self.account.test_account
        return BankDetails(
            reference=self.account.reference,
            owner=self.owner,
            bank=test_account.bank,
            last4=test_account.last4,
        )


class SandboxTransfer(models.Model):
    """Money sent, one a key. Until it has failed, `code` tells how it will, if it will.

    With `returns_at`, it arrives before that.
    """

    reference = models.CharField(max_length=40, primary_key=True)
    key = models.UUIDField(unique=True)
    account = models.ForeignKey(SandboxBank, on_delete=models.PROTECT, related_name="transfers")
    currency = CurrencyField()
    amount = MinorUnitsField()
    description = models.CharField(max_length=250)
    state = models.CharField(max_length=10, choices=STATES)
    code = models.CharField(max_length=60, blank=True)
    begun_at = models.DateTimeField()
    arrives_at = models.DateTimeField(null=True)
    returns_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="sandbox_transfer_amount"),
        ]

    def __str__(self) -> str:
        return self.reference

    # Verbs

    @classmethod
    @transaction.atomic
    def take(
        cls, order: TransferOrder, account: SandboxBank, *, at: datetime
    ) -> "tuple[SandboxTransfer, bool]":
        """The one transfer of the order's key, and whether it is new. Raises KeyReused."""
        behaviour, code = account.test_account.behaviour, account.test_account.code
        state = {
            Behaviour.PAYS_AT_ONCE: State.SUCCEEDED,
            Behaviour.FAILS_AT_ONCE: State.FAILED,
        }.get(behaviour, State.PROCESSING)
        asked = {
            "account": account,
            "currency": order.amount.currency,
            "amount": order.amount.minor,
            "description": order.description,
        }
        begun = {
            "reference": new_reference("sent"),
            "state": state,
            "code": code,
            "begun_at": at,
            "arrives_at": at + ARRIVES_AFTER if state is State.PROCESSING else None,
            "returns_at": at + ARRIVES_AFTER + RETURNS_AFTER
            if behaviour is Behaviour.RETURNS
            else None,
        }
        transfer, is_new = cls.objects.get_or_create(key=order.key, defaults=asked | begun)
        if any(getattr(transfer, name) != value for name, value in asked.items()):
            raise KeyReused("Another transfer was sent under this key.")
        return transfer, is_new

    def settle(self, *, at: datetime) -> Outcome:
        """What it is at `at`: one that was on its way until then has come to its end."""
        if self.ends_at and self.ends_at <= at:
            returned = self.returns_at and self.returns_at <= at
            fails = returned or (self.code and not self.returns_at)
            end = State.FAILED if fails else State.SUCCEEDED
            type(self).objects.filter(pk=self.pk, state=self.state).update(state=end)
            self.refresh_from_db()
        return self.outcome

    # Properties

    @property
    def ends_at(self) -> datetime | None:
        """When it comes to its end, or what had arrived comes back; None if nothing will happen."""
        if self.state == State.PROCESSING:
            return self.arrives_at
        return self.returns_at if self.state == State.SUCCEEDED else None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def outcome(self) -> Outcome:
        decline = failure(self.code) if self.state == State.FAILED else None
        return Outcome(State(self.state), self.reference, decline)
