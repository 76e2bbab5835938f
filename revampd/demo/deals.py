"""What two companies of the demo do with each other: propose, decide, choose."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.models import (
    AddOn,
    BillingRequest,
    PlanVersion,
    SelfService,
    TierUse,
    UsageRecord,
)
from billing.models.proposals import About, Proposal
from billing.pricing import Measure, Timing
from connections.models import Connection

from .people import Company, Person

if TYPE_CHECKING:
    from .stage import Stage


@dataclass(frozen=True)
class Deal:
    """One connection on the stage. Items go by their catalog names."""

    stage: "Stage"
    seller: Company
    connection: Connection

    def propose(
        self,
        item: str,
        *,
        by: Person,
        quantity: int = 1,
        timing: Timing = Timing.NOW,
        note: str = "",
        expires_at: datetime | None = None,
        about: About | None = None,
    ) -> BillingRequest:
        proposal = replace(self._proposal(item, quantity, timing, note, expires_at), about=about)
        return BillingRequest.propose(
            proposal, connection=self.connection, by=self.stage.user(by), at=self.stage.at
        )

    def revise(
        self,
        request: BillingRequest,
        item: str,
        *,
        by: Person,
        quantity: int = 1,
        timing: Timing = Timing.NOW,
        note: str = "",
    ) -> BillingRequest:
        proposal = self._proposal(item, quantity, timing, note)
        return request.revise(proposal, by=self.stage.user(by), at=self.stage.at)

    def choose_tier(self, name: str, *, by: Person) -> BillingRequest:
        """The customer's own act, like the three that follow."""
        tier = self.stage.item(self.seller, name)
        if not isinstance(tier, PlanVersion):
            raise TypeError(f"{name} is no tier")
        return self._service.choose_tier(tier, by=self.stage.user(by), at=self.stage.at)

    def add(self, name: str, quantity: int, *, by: Person) -> BillingRequest:
        add_on = self.stage.item(self.seller, name)
        if not isinstance(add_on, AddOn):
            raise TypeError(f"{name} is no add-on")
        return self._service.add(add_on, quantity, by=self.stage.user(by), at=self.stage.at)

    def remove(self, added: BillingRequest, quantity: int, *, by: Person) -> None:
        user, at = self.stage.user(by), self.stage.at
        self._service.remove(added, quantity=quantity, by=user, at=at)

    @property
    def _service(self) -> SelfService:
        return SelfService(self.connection)

    def report(self, campaigns: int, workflows: int) -> None:
        """The platform says what the Partner runs on it."""
        figures = {"campaigns": campaigns, "workflows": workflows}
        TierUse.report(connection=self.connection, at=self.stage.at, **figures)

    def approve(self, request: BillingRequest, *, by: Person, note: str = "") -> None:
        user = self.stage.user(by)
        request.approve(by=user, seal=request.seal, at=self.stage.at, note=note)

    def reject(self, request: BillingRequest, *, by: Person, note: str) -> None:
        request.reject(by=self.stage.user(by), at=self.stage.at, note=note)

    def withdraw(self, request: BillingRequest, *, by: Person) -> None:
        request.withdraw(by=self.stage.user(by), at=self.stage.at)

    def count(self, bookings: int, *, by: Person) -> None:
        """The provider enters the bookings of the week that ended yesterday."""
        yesterday = self.connection.day_of(self.stage.at) - timedelta(days=1)
        UsageRecord.enter(
            self.connection,
            measure=Measure.BOOKING,
            used_on=yesterday,
            quantity=bookings,
            key=f"bookings-until-{yesterday}",
            by=self.stage.user(by),
            at=self.stage.at,
        )

    def _proposal(
        self,
        item: str,
        quantity: int = 1,
        timing: Timing = Timing.NOW,
        note: str = "",
        expires_at: datetime | None = None,
    ) -> Proposal:
        entry = self.stage.item(self.seller, item)
        return Proposal(entry, quantity, timing, note=note, expires_at=expires_at)
