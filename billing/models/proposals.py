"""A proposal: what is offered and when, before it is sealed into a request."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from billing import pricing, terms
from billing.pricing import Interval, Item, ItemKind, Offer, Preview, Running, Timing
from connections.models import Connection
from revampd.kit.errors import Conflict, Invalid
from revampd.kit.money import Money

from .catalog import AddOn, NotOnSale, OneTimeCharge
from .plans import PlanVersion

OPEN_FOR = timedelta(days=30)
FARTHEST = timedelta(days=366)
MAX_QUANTITY = 10_000
NOTE_LENGTH = 2_000

CatalogEntry = PlanVersion | AddOn | OneTimeCharge


def last_second(connection: Connection, day: date) -> datetime:
    """The end of `day` where the provider does business, still written with that day's date."""
    return datetime.combine(day, time(23, 59, 59), connection.provider.zone)


class NothingToJoin(Conflict):
    """An add-on needs a plan that it can join."""


@dataclass(frozen=True)
class About:
    """What a proposal is for, such as work on a ticket; billing only passes it on.

    `key` is its id, `reference` its short name, `path` its page.
    """

    key: str
    reference: str
    title: str
    path: str


@dataclass(frozen=True)
class Proposal:
    """A catalog entry, how many, from when, until when it can be approved, and a note.

    `ends` are the keys of running items that an add-on takes the place of, at their own `price`
    for a month, whatever the catalog says by now. `alone` is an add-on
    that needs no plan, as on a Sub-Org's connection with Revampd. `about` is sealed with the rest.
    """

    item: CatalogEntry
    quantity: int = 1
    timing: Timing = Timing.NOW
    effective_date: date | None = None
    note: str = ""
    expires_at: datetime | None = None
    ends: tuple[Any, ...] = ()
    price: Money | None = None
    alone: bool = False
    about: About | None = None

    def settled(self, connection: Connection, running: Running, at: datetime) -> "Proposal":
        """The same with its days fixed, once it is sure that it can be offered.

        Raises Invalid with the form field concerned, and NotOnSale.
        """
        today = connection.day_of(at)
        self._guard_item(connection)
        self._guard_days(running, today)
        self._guard_sense(connection, running)
        proposal = replace(self, alone=self._is_alone(connection))
        preview = pricing.preview(proposal.offer, running, today)
        if preview.lowest.minor < 0:
            raise Invalid(
                "The unused part of the running plan is worth more than a coming invoice. "
                "Choose the next billing cycle instead.",
                field="timing",
            )
        day = None if self.timing == Timing.NOW else preview.start
        expires_at = self._expiry(connection, day, at)
        return replace(proposal, effective_date=day, expires_at=expires_at, note=self.note.strip())

    def _is_alone(self, connection: Connection) -> bool:
        return self.kind == ItemKind.ADD_ON and connection.is_managed

    def _guard_item(self, connection: Connection) -> None:
        if self.item.provider_id != connection.provider_id:
            raise Invalid("Choose something from your own catalog.", field="item")
        if not (self.ends or self.item.is_on_sale):
            raise NotOnSale(f"{self.item.name} is no longer on sale.")
        if self.item.currency != connection.currency:
            raise Invalid(f"{self.item.name} is priced in {self.item.currency}.", field="item")
        if self.kind != ItemKind.ADD_ON and self.quantity != 1:
            raise Invalid("Only add-ons have a quantity.", field="quantity")
        if not 1 <= self.quantity <= MAX_QUANTITY:
            raise Invalid(f"Enter a quantity from 1 to {MAX_QUANTITY:,}.", field="quantity")
        if len(self.note) > NOTE_LENGTH:
            raise Invalid(f"Keep the note under {NOTE_LENGTH:,} characters.", field="note")

    def _guard_days(self, running: Running, today: date) -> None:
        if self.timing == Timing.NEXT_CYCLE and not running.next_invoice:
            raise Invalid(
                "No billing cycle runs yet. Choose on approval, or a day.", field="timing"
            )
        if self.timing != Timing.DATE:
            return
        if self.effective_date is None:
            raise Invalid("Enter the day on which it takes effect.", field="effective_date")
        if self.effective_date < today:
            raise Invalid("Choose today or a later day.", field="effective_date")
        if self.effective_date > today + FARTHEST:
            raise Invalid("Choose a day within the next 12 months.", field="effective_date")

    def _guard_sense(self, connection: Connection, running: Running) -> None:
        needs_plan = self.kind == ItemKind.ADD_ON and not self._is_alone(connection)
        if needs_plan and not running.items:
            waiting = connection.billing_requests.pending().filter(kind=ItemKind.PLAN)
            if not waiting.exists():
                raise Invalid(
                    f"{connection.customer} has no plan that an add-on could join. "
                    "Propose a plan first.",
                    field="item",
                )
        plan, offer = running.plan, self.offer
        same = ("name", "price", "interval", "booking_fee", "transfer_fee")
        is_same = plan and all(getattr(plan, name) == getattr(offer, name) for name in same)
        if self.kind == ItemKind.PLAN and is_same:
            raise Invalid(f"{connection.customer} has this plan already.", field="item")

    def _expiry(self, connection: Connection, day: date | None, at: datetime) -> datetime:
        """Nothing starts in the past: it can be approved until its effective day ends."""
        expires_at = self.expires_at or at + OPEN_FOR
        if expires_at <= at:
            raise Invalid("Choose a later day to decide by.", field="expires_on")
        if expires_at > at + FARTHEST:
            raise Invalid("Choose a day within the next 12 months.", field="expires_on")
        if day is None:
            return expires_at
        return min(expires_at, last_second(connection, day))

    def terms(self, connection: Connection, running: Running, today: date) -> terms.Terms:
        """Everything that it promises, ready to be sealed. Call it on a settled proposal."""
        preview = self.preview(running, today)
        version = self.item if isinstance(self.item, PlanVersion) else None
        return terms.compose(
            self.offer,
            preview,
            self._replaced(running, preview.start),
            day=today,
            connection=str(connection.pk),
            provider=connection.provider.name,
            customer=connection.customer.name,
            item=str(self.item.pk),
            version=version.number if version else None,
            booking_fee=version.booking_fee if version else 0,
            transfer_fee=version.transfer_fee if version else 0,
            description=self.item.description,
            note=self.note,
            expires_at=self.expires_at.isoformat() if self.expires_at else None,
            **({"about": asdict(self.about)} if self.about else {}),
        )

    def _replaced(self, running: Running, day: date) -> Item | None:
        """What an approval ends: the plan that runs then, or the add-on that this is less of."""
        if self.kind == ItemKind.PLAN:
            return running.plan_on(day)
        return next((item for item in running.items if item.key in self.ends), None)

    def preview(self, running: Running, today: date) -> Preview:
        return pricing.preview(self.offer, running, today)

    @property
    def kind(self) -> ItemKind:
        if isinstance(self.item, PlanVersion):
            return ItemKind.PLAN
        return ItemKind.ADD_ON if isinstance(self.item, AddOn) else ItemKind.ONE_TIME

    @property
    def entry(self) -> dict[str, Any]:
        """The column that names the catalog entry, and the entry."""
        columns = {
            ItemKind.PLAN: "plan_version",
            ItemKind.ADD_ON: "add_on",
            ItemKind.ONE_TIME: "one_time_charge",
        }
        return {columns[self.kind]: self.item}

    @property
    def offer(self) -> Offer:
        plan = self.item if isinstance(self.item, PlanVersion) else None
        interval = plan.interval if plan else Interval.MONTH
        return Offer(
            kind=self.kind,
            name=self.item.name,
            unit_price=self.price or Money(self.item.unit_price, self.item.currency),
            quantity=self.quantity,
            interval=Interval(interval),
            timing=Timing(self.timing),
            day=self.effective_date if self.timing == Timing.DATE else None,
            booking_fee=plan.booking_fee if plan else 0,
            transfer_fee=plan.transfer_fee if plan else 0,
            ends=self.ends,
            alone=self.alone,
        )
