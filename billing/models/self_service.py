"""What Revampd's customers do for themselves: tiers and add-ons, with effect and undone again."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from billing import events, pricing
from billing.pricing import Change, Charge, Item, Preview, Running, Timing
from connections.kinds import EventKind
from connections.models import Connection, User
from revampd.kit.errors import Conflict, Invalid, NotAllowed
from revampd.kit.locking import lock
from revampd.kit.money import Money, total

from .catalog import AddOn
from .plans import PlanVersion
from .proposals import Proposal
from .requests import BillingRequest
from .subscriptions import Subscription


class NothingToUndo(Conflict):
    """Nothing is scheduled, or its day has come."""


class NothingToEnd(Conflict):
    """What was to end does not run, or ends already."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A request that the customer may make, unsaved, and what making it comes to."""

    request: BillingRequest
    preview: Preview


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What canceling comes to: the day on which all ends, and what is charged then."""

    end: date
    items: tuple[Item, ...]
    last_charges: tuple[Charge, ...]
    last_invoice: Money


@dataclass(frozen=True, slots=True)
class SelfService:
    """A connection with Revampd, and the acts by which its customer binds only itself.

    Whoever has read already what runs can say so: a preview does not read it again. The acts do,
    once the connection is locked.
    """

    connection: Connection
    seen: Running | None = None

    # What it would come to

    def preview_tier(self, tier: PlanVersion, *, by: User, at: datetime) -> Choice:
        """Raises Invalid, NotOnSale and BelowUse, like `choose_tier`."""
        running = self._undone(self._seen(), at)
        return self._choice(self._tier(tier, running), running, by, at)

    def preview_add_on(self, add_on: AddOn, quantity: int, *, by: User, at: datetime) -> Choice:
        """Raises Invalid and NotOnSale, like `add`."""
        return self._choice(Proposal(add_on, quantity), self._seen(), by, at)

    def preview_cancellation(self, *, at: datetime) -> Cancellation:
        """Raises NothingToEnd, like `cancel`."""
        running = self._undone(self._seen(), at)
        change = self._canceled(running, at)
        last = change.applied(running)
        while last.next_invoice and last.next_invoice < change.start:
            last = last.billed()
        charges = tuple(last.upcoming())
        return Cancellation(
            end=change.start,
            items=tuple(item for item in running.items if item.lasts_after(change.start)),
            last_charges=charges,
            last_invoice=total((c.amount for c in charges), self.connection.currency),
        )

    def _choice(self, proposal: Proposal, running: Running, by: User, at: datetime) -> Choice:
        today = self.connection.day_of(at)
        request = BillingRequest.draft(proposal, self.connection, by=by, at=at, running=running)
        return Choice(request, pricing.preview(request.offer, running, today))

    # Tiers

    @transaction.atomic
    def choose_tier(self, tier: PlanVersion, *, by: User, at: datetime) -> BillingRequest:
        """Change to `tier` with the next cycle, in place of what is scheduled.

        If none runs, it starts at once.
        Raises Invalid, NotOnSale, NotAllowed and BelowUse.
        """
        running = self._enter(by)
        proposal = self._tier(tier, running)
        if change := pricing.keep(running, self.connection.day_of(at)):
            self._subscription().alter(change)
        return BillingRequest.choose(proposal, connection=self.connection, by=by, at=at)

    @staticmethod
    def _tier(tier: PlanVersion, running: Running) -> Proposal:
        return Proposal(tier, timing=Timing.NEXT_CYCLE if running.items else Timing.NOW)

    @transaction.atomic
    def cancel(self, *, by: User, at: datetime) -> None:
        """Everything ends with the cycle, in place of what is scheduled. Raises NothingToEnd."""
        running = self._enter(by)
        if kept := pricing.keep(running, self.connection.day_of(at)):
            self._subscription().alter(kept)
            running = self._running()
        change = self._canceled(running, at)
        self._subscription().alter(change)
        self._record(
            events.subscription_canceled, self._name(running, at), by, at, end=change.start
        )

    def _canceled(self, running: Running, at: datetime) -> Change:
        change = pricing.cancel(running, self.connection.day_of(at))
        if change is None:
            raise NothingToEnd("Nothing runs that could be canceled.")
        return change

    @transaction.atomic
    def keep(self, *, by: User, at: datetime) -> None:
        """Undo a scheduled change or cancellation before its day. Raises NothingToUndo."""
        running, today = self._enter(by), self.connection.day_of(at)
        change = pricing.keep(running, today)
        if change is None:
            raise NothingToUndo("Nothing is scheduled any more that could be undone.")
        following = running.plan_on(change.start)
        undone = f"the change to {following.name}" if following else "the cancellation"
        self._subscription().alter(change)
        self._record(events.subscription_kept, self._name(running, at), by, at, undone=undone)

    # Add-ons

    def add(self, add_on: AddOn, quantity: int, *, by: User, at: datetime) -> BillingRequest:
        """An add-on from today on, billed with the next invoice.

        Raises Invalid, NotOnSale, NotAllowed and NothingToJoin.
        """
        proposal = Proposal(add_on, quantity)
        return BillingRequest.choose(proposal, connection=self.connection, by=by, at=at)

    @transaction.atomic
    def remove(
        self, request: BillingRequest, *, by: User, at: datetime, quantity: int | None = None
    ) -> None:
        """With the period ends what `request` added: all of it, or `quantity` of it.

        What stays is a request of its own at the same price. Raises NothingToEnd and Invalid.
        """
        running, today = self._enter(by), self.connection.day_of(at)
        change = pricing.remove(running, request.pk, today)
        if change is None:
            raise NothingToEnd(f"{request.item_name} does not run, or ends already.")
        parts = [item for item in running.items if item.key in {i.key for i in change.altered}]
        has = max(item.quantity for item in parts)
        if quantity is not None and not 1 <= quantity <= has:
            raise Invalid(f"Enter a number from 1 to {has:,}.", field="quantity")
        if quantity is not None and quantity < has:
            self._reduce(request, parts, has - quantity, by, at)
            return
        self._subscription().alter(change)
        name = f"{has} × {request.item_name}" if has > 1 else request.item_name
        self._record(events.add_on_removed, name, by, at, end=change.start)

    def _reduce(
        self, request: BillingRequest, parts: list[Item], left: int, by: User, at: datetime
    ) -> None:
        proposal = Proposal(
            request.item,
            left,
            Timing.NEXT_CYCLE,
            ends=tuple(item.key for item in parts),
            price=request.offer.unit_price,
        )
        BillingRequest.choose(proposal, connection=self.connection, by=by, at=at)

    @transaction.atomic
    def retain(self, request: BillingRequest, *, by: User, at: datetime) -> None:
        """Undo before its day that `request` ends, or that it leaves less. Raises NothingToUndo."""
        running, today = self._enter(by), self.connection.day_of(at)
        ends = request.offer.ends
        plan = running.plan_on(today)
        if plan and plan.ending == pricing.Ending.CANCELED:
            raise NothingToUndo(
                f"{plan.name} ends, and its add-ons with it.", next_step=f"Keep {plan.name} first."
            )
        change = pricing.retain(running, request.pk, today)
        if change is None:
            change = pricing.restore(running, request.pk, ends, today)
        if change is None:
            raise NothingToUndo(f"No change of {request.item_name} waits that could be undone.")
        self._subscription().alter(change)
        self._record(events.add_on_retained, request.item_name, by, at)

    # What all of them share

    def _enter(self, by: User) -> Running:
        """What runs, once the connection is locked and `by` may act for the customer."""
        connection = lock(self.connection)
        connection.customer.require_biller(by)
        if not connection.is_self_service:
            raise NotAllowed(f"What you have from {connection.provider} changes through requests.")
        return self._running()

    def _seen(self) -> Running:
        return self._running() if self.seen is None else self.seen

    def _running(self) -> Running:
        return Subscription.running_on(self.connection)

    def _undone(self, running: Running, at: datetime) -> Running:
        """What would run without what is scheduled."""
        change = pricing.keep(running, self.connection.day_of(at))
        return change.applied(running) if change else running

    def _subscription(self) -> Subscription:
        subscription: Subscription = self.connection.subscriptions.live().get()
        return subscription

    def _name(self, running: Running, at: datetime) -> str:
        plan = running.plan_on(self.connection.day_of(at)) or running.plan
        return plan.name if plan else "Everything"

    def _record(self, kind: EventKind, item: str, by: User, at: datetime, **facts: Any) -> None:
        kind.record(
            self._subscription(),
            by=by,
            at=at,
            organization=self.connection.customer,
            connection=self.connection,
            item=item,
            customer=self.connection.customer.name,
            person=by.name,
            **facts,
        )
