"""The first steps of a new Sub-Org: a payment method, the first decision, and it is live."""

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
