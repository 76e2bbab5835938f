"""Charges and refunds of the sandbox: one a key, whose end may come later."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q, Sum

from billing.gateways.base import (
    ChargeOrder,
    ClaimState,
    Disputed,
    KeyReused,
    Outcome,
    RefundOrder,
    Refused,
    State,
)
from billing.gateways.cards import Behaviour
from billing.gateways.declines import decline
from revampd.kit.money import CurrencyField, MinorUnitsField, Money

from .methods import SandboxMethod
from .network import SandboxWebhook, Subject, new_reference

SETTLES_AFTER = timedelta(minutes=5)
TOLD_AGAIN_AFTER = timedelta(minutes=1)
STATES = [(state.value, state.value.capitalize()) for state in State]


class SandboxOrder(models.Model):
    """What charges and refunds have in common: one a key, and an end that may come later.

    While it is processing, `code` tells how it will fail, and is empty if it will succeed.
    """

    reference = models.CharField(max_length=40, primary_key=True)
    key = models.UUIDField(unique=True)
    currency = CurrencyField()
    amount = MinorUnitsField()
    state = models.CharField(max_length=10, choices=STATES)
    code = models.CharField(max_length=60, blank=True)
    begun_at = models.DateTimeField()
    settles_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="%(class)s_amount"),
            models.CheckConstraint(
                condition=Q(state="PROCESSING", settles_at__isnull=False)
                | Q(state="FAILED") & ~Q(code="")
                | Q(state__in=["SUCCEEDED", "ACTION"], code=""),
                name="%(class)s_state",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    # Verbs

    def settle(self, *, at: datetime) -> Outcome:
        """What it is at `at`: one that was processing until then has come to its end."""
        if self.state == State.PROCESSING and self.settles_at is not None and self.settles_at <= at:
            self._move(State.PROCESSING, State.FAILED if self.code else State.SUCCEEDED)
        return self.outcome

    def _move(self, old: State, new: State, **fields: Any) -> bool:
        """Change the state once; False if somebody else was faster."""
        rows = type(self)._base_manager.filter(pk=self.pk, state=old)
        moved = rows.update(state=new, **fields) == 1
        self.refresh_from_db()
        return moved

    def _tell(self, behaviour: Behaviour, customer: str, *, at: datetime) -> None:
        """Queue the webhooks of the beginning, and of the end if that comes later."""
        noun = type(self).__name__.removeprefix("Sandbox").lower()
        end = self.settles_at
        due = [at]
        if behaviour is Behaviour.TELLS_TWICE:
            due.append(at + TOLD_AGAIN_AFTER)
        if behaviour is Behaviour.TELLS_IN_DISORDER and end:
            due = [end + TOLD_AGAIN_AFTER]
        about = Subject(self.reference, self.key, customer)
        SandboxWebhook.queue(f"{noun}.{self.state.lower()}", about, at=at, due=due)
        if end:
            last = State.FAILED if self.code else State.SUCCEEDED
            SandboxWebhook.queue(f"{noun}.{last.lower()}", about, at=end)

    # Properties

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def outcome(self) -> Outcome:
        failed = decline(self.code) if self.state == State.FAILED else None
        return Outcome(State(self.state), self.reference, failed)


class SandboxCharge(SandboxOrder):
    """Money taken, or tried to be taken, from a method."""

    method = models.ForeignKey(SandboxMethod, on_delete=models.PROTECT, related_name="charges")
    customer = models.CharField(max_length=40)
    description = models.CharField(max_length=250)
    return_url = models.CharField(max_length=500, blank=True)

    # Verbs

    @classmethod
    @transaction.atomic
    def take(
        cls, order: ChargeOrder, method: SandboxMethod, *, at: datetime
    ) -> "tuple[SandboxCharge, bool]":
        """The one charge of the order's key, and whether it is new. Raises KeyReused."""
        state, code = method.first_state(at)
        asked = {
            "method": method,
            "customer": order.customer,
            "description": order.description,
            "currency": order.amount.currency,
            "amount": order.amount.minor,
        }
        begun = {
            "reference": new_reference("charge"),
            "state": state,
            "code": code,
            "begun_at": at,
            "settles_at": at + SETTLES_AFTER if state is State.PROCESSING else None,
        }
        charge, is_new = cls.objects.get_or_create(key=order.key, defaults=asked | begun)
        if is_new:
            charge._tell(method.test_card.behaviour, order.customer, at=at)
        elif any(getattr(charge, name) != value for name, value in asked.items()):
            raise KeyReused("Another charge was sent under this key.")
        return charge, is_new

    def send_to_page(self, return_url: str) -> bool:
        """Remember where the page of confirmation leads back to. False: nothing to confirm."""
        waiting = type(self).objects.filter(pk=self.pk, state=State.ACTION)
        return bool(waiting.update(return_url=return_url) == 1)

    @transaction.atomic
    def confirm(self, *, succeed: bool, at: datetime) -> None:
        """The customer confirms, or refuses to. Once decided, nothing changes any more."""
        new = State.SUCCEEDED if succeed else State.FAILED
        code = "" if succeed else "payment_intent_authentication_failure"
        if not self._move(State.ACTION, new, code=code):
            return
        if succeed:
            SandboxMethod.objects.filter(pk=self.method_id).update(is_confirmed=True)
        self._tell(self.method.test_card.behaviour, self.customer, at=at)

    @transaction.atomic
    def cancel(self, *, at: datetime) -> None:
        """Give up a charge that waits for the customer; any other stays what it is."""
        if self._move(State.ACTION, State.FAILED, code="canceled"):
            self._tell(self.method.test_card.behaviour, self.customer, at=at)

    # Properties

    @property
    def left(self) -> int:
        """What was neither given back nor taken back, in minor units."""
        given = self.refunds.exclude(state=State.FAILED).aggregate(sum=Sum("amount", default=0))
        taken = self.disputes.exclude(state=ClaimState.WON).aggregate(sum=Sum("amount", default=0))
        return int(self.amount) - int(given["sum"]) - int(taken["sum"])


class SandboxRefund(SandboxOrder):
    """Money given back, at most as much as was taken."""

    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="refunds")

    # Verbs

    @classmethod
    @transaction.atomic
    def give(cls, order: RefundOrder, *, at: datetime) -> "SandboxRefund":
        """The one refund of the order's key. Raises KeyReused, Refused, Disputed."""
        charge = SandboxCharge.objects.select_for_update().filter(pk=order.charge).first()
        known = cls.objects.filter(key=order.key).first()
        if known is not None:
            if (known.charge_id, known.money) != (order.charge, order.amount):
                raise KeyReused("Another refund was sent under this key.")
            return known
        if charge is None or charge.settle(at=at).state is not State.SUCCEEDED:
            raise Refused("The sandbox has taken no such charge.")
        if charge.disputes.begun(at).exclude(state=ClaimState.WON).exists():
            raise Disputed("The bank disputes the charge.")
        if charge.currency != order.amount.currency or charge.left < order.amount.minor:
            raise Refused("The sandbox gives back no more than what it took.")
        return cls._begin(charge, order, at=at)

    @classmethod
    def _begin(cls, charge: SandboxCharge, order: RefundOrder, *, at: datetime) -> "SandboxRefund":
        card = charge.method.test_card
        is_later = card.behaviour in (Behaviour.REFUNDS_LATER, Behaviour.REFUSES_REFUNDS)
        refund: SandboxRefund = cls.objects.create(
            reference=new_reference("refund"),
            key=order.key,
            charge=charge,
            currency=order.amount.currency,
            amount=order.amount.minor,
            state=State.PROCESSING if is_later else State.SUCCEEDED,
            code=card.code if card.behaviour is Behaviour.REFUSES_REFUNDS else "",
            begun_at=at,
            settles_at=at + SETTLES_AFTER if is_later else None,
        )
        refund._tell(card.behaviour, charge.customer, at=at)
        return refund
