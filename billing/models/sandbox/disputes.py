"""Disputes of the sandbox: staff play the bank that takes a charge back, and decides later."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Q

from billing.gateways.base import Claim, ClaimState, State
from revampd.kit.errors import Conflict
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .network import SandboxWebhook, Subject, new_reference
from .orders import SandboxCharge

# How long after the charge a card that disputes does so, and is to be answered.
DISPUTED_AFTER = timedelta(minutes=10)
EVIDENCE_WITHIN = timedelta(days=7)


class SandboxDisputeQuerySet(models.QuerySet["SandboxDispute"]):
    def begun(self, at: datetime) -> Self:
        return self.filter(begun_at__lte=at)


class SandboxDispute(models.Model):
    """What a bank claims back of a charge from `begun_at` on."""

    reference = models.CharField(max_length=40, primary_key=True)
    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="disputes")
    currency = CurrencyField()
    amount = MinorUnitsField()
    reason = models.CharField(max_length=40, default="fraudulent")
    state = models.CharField(
        max_length=4,
        choices=[(state.value, state.value.capitalize()) for state in ClaimState],
        default=ClaimState.OPEN,
    )
    begun_at = models.DateTimeField()

    objects: ClassVar[Any] = SandboxDisputeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="sandbox_dispute_amount"),
        ]

    def __str__(self) -> str:
        return self.reference

    # Factories

    @classmethod
    @transaction.atomic
    def begin(
        cls, charge: SandboxCharge, *, at: datetime, minor: int | None = None
    ) -> "SandboxDispute":
        """The bank takes `minor` units back, or all that is left. Raises Conflict."""
        charge = SandboxCharge.objects.select_for_update().get(pk=charge.pk)
        amount = charge.left if minor is None else min(minor, charge.left)
        if charge.state != State.SUCCEEDED or amount <= 0:
            raise Conflict("Nothing is left of this charge that a bank could take back.")
        dispute: SandboxDispute = cls.objects.create(
            reference=new_reference("dispute"),
            charge=charge,
            currency=charge.currency,
            amount=amount,
            begun_at=at,
        )
        # As banks do: it is disputed, and the money is gone.
        dispute._tell("created", at)
        dispute._tell("funds_withdrawn", at)
        return dispute

    # Verbs

    @transaction.atomic
    def decide(self, state: ClaimState, *, at: datetime) -> None:
        """The bank decides, once. Raises Conflict."""
        undecided = type(self).objects.filter(pk=self.pk, state=ClaimState.OPEN)
        if not undecided.begun(at).update(state=state):
            raise Conflict("This is decided already, or has not begun.")
        self.refresh_from_db()
        self._tell("closed", at)
        if state is ClaimState.WON:
            self._tell("funds_reinstated", at)

    def _tell(self, what: str, at: datetime) -> None:
        about = Subject(self.reference, None, self.charge.customer)
        SandboxWebhook.queue(f"dispute.{what}", about, at=at)

    # Properties

    @property
    def claim(self) -> Claim:
        return Claim(
            reference=self.reference,
            key=self.charge.key,
            amount=Money(self.amount, self.currency),
            state=ClaimState(self.state),
            reason=self.reason,
            respond_by=self.begun_at + EVIDENCE_WITHIN,
        )
