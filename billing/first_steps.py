"""The first steps of a new customer.

A Sub-Org: a payment method, the first decision, and it is live. A Partner: who it is, a payment
method, a tier, its first Sub-Org.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.access import Party
from connections.models import Connection, Organization

from .models import BillingRequest
from .standing import Standing

DECIDED = (BillingRequest.State.APPROVED, BillingRequest.State.REJECTED)


@dataclass(frozen=True)
class FirstSteps:
    """How far a Sub-Org has come with its Partner; read from what is there, kept nowhere.

    `waiting` is a request that it can decide now.
    """

    has_method: bool
    has_decided: bool
    is_live: bool
    waiting: BillingRequest | None

    @classmethod
    def of(
        cls, party: Party, standing: Standing, pending: Sequence[BillingRequest]
    ) -> "FirstSteps | None":
        """None where nothing is left to do, or where there never are first steps.

        `pending` are requests that wait, the oldest last.
        """
        connection = party.connection
        sells_to_sub_org = connection.provider_kind == Organization.Kind.PARTNER
        if not sells_to_sub_org or connection.state == Connection.State.INVITED:
            return None
        has_decided = not standing.requests.keys().isdisjoint(DECIDED)
        is_live = BillingRequest.State.APPROVED in standing.requests
        # A method that was removed since counts as well: these are first steps.
        if standing.has_had_method and has_decided and is_live:
            return None
        waiting = pending[-1] if pending else None
        return cls(standing.has_had_method, has_decided, is_live, waiting)

    @property
    def number_done(self) -> int:
        return self.has_method + self.has_decided + self.is_live


@dataclass(frozen=True)
class PartnerSteps:
    """How far a Partner has come with Revampd; read from what is there, kept nowhere."""

    has_details: bool
    has_method: bool
    has_tier: bool
    has_sub_org: bool

    @classmethod
    def of(cls, party: Party, standing: Standing) -> "PartnerSteps | None":
        """None where nothing is left to do, or where there never are such steps."""
        connection = party.connection
        if not connection.sells_tiers or connection.state == Connection.State.INVITED:
            return None
        steps = cls(
            has_details=bool(connection.customer.address),
            # What was removed or ended since counts as well: these are first steps.
            has_method=standing.has_had_method,
            has_tier=standing.has_had_plan,
            has_sub_org=standing.customer_sells,
        )
        return steps if steps.number_done < 4 else None

    @property
    def number_done(self) -> int:
        return self.has_details + self.has_method + self.has_tier + self.has_sub_org

    @property
    def missing(self) -> list[str]:
        """What is left to do, as its provider reads it."""
        left = {
            "its address": self.has_details,
            "a payment method": self.has_method,
            "a tier": self.has_tier,
            "its first Sub-Org": self.has_sub_org,
        }
        return [step for step, is_done in left.items() if not is_done]
