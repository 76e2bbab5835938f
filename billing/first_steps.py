"""The first steps of a new Sub-Org: a payment method, the first decision, and it is live."""

from dataclasses import dataclass

from connections.access import Party
from connections.models import Connection, Organization

from .models import BillingRequest

DECIDED = (BillingRequest.State.APPROVED, BillingRequest.State.REJECTED)


@dataclass(frozen=True)
class FirstSteps:
    """How far a Sub-Org has come with its Partner; read from what is there, kept nowhere.

    `waiting` is the oldest request that it can decide now.
    """

    has_method: bool
    has_decided: bool
    is_live: bool
    waiting: BillingRequest | None

    @classmethod
    def of(cls, party: Party) -> "FirstSteps | None":
        """None where nothing is left to do, or where there never are first steps."""
        connection = party.connection
        sells_to_sub_org = connection.provider_kind == Organization.Kind.PARTNER
        if not sells_to_sub_org or connection.state == Connection.State.INVITED:
            return None
        requests = connection.billing_requests
        states = set(requests.values_list("state", flat=True).distinct())
        steps = cls(
            # One that was removed since counts as well: these are first steps.
            has_method=connection.payment_methods.exists(),
            has_decided=not states.isdisjoint(DECIDED),
            is_live=BillingRequest.State.APPROVED in states,
            waiting=requests.pending().order_by("proposed_at").first(),
        )
        return None if steps.are_done else steps

    @property
    def number_done(self) -> int:
        return self.has_method + self.has_decided + self.is_live

    @property
    def are_done(self) -> bool:
        return self.number_done == 3
