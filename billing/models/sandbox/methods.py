"""Stored test cards, and the visits to the page on which they are added."""

from datetime import datetime
from typing import Self

from django.db import models, transaction

from billing.gateways import cards
from billing.gateways.base import CustomerRef, MethodDetails, State
from billing.gateways.cards import Behaviour, Card
from revampd.kit.locking import lock

from .network import SandboxWebhook, Subject, new_reference


class SandboxMethod(models.Model):
    """A stored test card. `card` is its name in `cards.BY_NAME`; no number is kept."""

    reference = models.CharField(max_length=40, primary_key=True)
    customer = models.CharField(max_length=40)
    card = models.CharField(max_length=20)
    exp_month = models.PositiveSmallIntegerField()
    exp_year = models.PositiveSmallIntegerField()
    is_confirmed = models.BooleanField(default=False)
    detached_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.test_card.brand} {self.test_card.last4}"

    # Verbs

    def detach(self, *, at: datetime) -> None:
        attached = type(self).objects.filter(pk=self.pk, detached_at__isnull=True)
        attached.update(detached_at=at)

    # Properties

    @property
    def test_card(self) -> Card:
        return cards.BY_NAME[self.card]

    def first_state(self, at: datetime) -> tuple[State, str]:
        """How a charge begins at `at`, and the code that it declines with, if it will."""
        if self.detached_at is not None:
            return State.FAILED, "method_gone"
        if (self.exp_year, self.exp_month) < (at.year, at.month):
            return State.FAILED, "expired_card"
        match self.test_card.behaviour:
            case Behaviour.DECLINES:
                return State.FAILED, self.test_card.code
            case Behaviour.CONFIRMS_ALWAYS:
                return State.ACTION, ""
            case Behaviour.CONFIRMS_ONCE if not self.is_confirmed:
                return State.ACTION, ""
            case Behaviour.DELAYED | Behaviour.TELLS_IN_DISORDER:
                return State.PROCESSING, ""
            case Behaviour.DELAYED_DECLINE:
                return State.PROCESSING, self.test_card.code
        return State.SUCCEEDED, ""


class SandboxSetup(models.Model):
    """A visit to the page for adding a method."""

    reference = models.CharField(max_length=40, primary_key=True)
    owner = models.UUIDField()
    customer = models.CharField(max_length=40)
    return_url = models.CharField(max_length=500)
    begun_at = models.DateTimeField()
    method = models.OneToOneField(SandboxMethod, on_delete=models.PROTECT, null=True)

    def __str__(self) -> str:
        return self.reference

    # Verbs

    @classmethod
    def begin(cls, customer: CustomerRef, return_url: str, *, at: datetime) -> Self:
        """Let a customer in; the same customer of ours is always the same one here."""
        setup: Self = cls.objects.create(
            reference=new_reference("setup"),
            owner=customer.key,
            customer=customer.reference or f"cus_{customer.key.hex}",
            return_url=return_url,
            begun_at=at,
        )
        return setup

    @transaction.atomic
    def complete(
        self, *, number: str, exp_month: str, exp_year: str, cvc: str, at: datetime
    ) -> None:
        """Store the card that was typed; once done, nothing changes any more.

        Raises ValidationError with a sentence for each of number, exp_month, exp_year and cvc.
        """
        typed = cards.read(number, exp_month, exp_year, cvc, today=at.date())
        current = lock(self)
        if current.method_id is not None:
            return
        method = SandboxMethod.objects.create(
            reference=new_reference("card"),
            customer=self.customer,
            card=typed.card.name,
            exp_month=typed.exp_month,
            exp_year=typed.exp_year,
        )
        type(self).objects.filter(pk=self.pk).update(method=method)
        about = Subject(self.reference, self.owner, self.customer)
        SandboxWebhook.queue("setup.completed", about, at=at)

    # Properties

    @property
    def details(self) -> MethodDetails | None:
        if self.method is None:
            return None
        card = self.method.test_card
        return MethodDetails(
            reference=self.method.reference,
            customer=self.customer,
            owner=self.owner,
            brand=card.brand,
            last4=card.last4,
            exp_month=self.method.exp_month,
            exp_year=self.method.exp_year,
        )
