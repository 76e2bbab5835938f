"""A customer's own act: a request that it makes and approves in one step."""

import pytest

from billing import terms
from billing.models import AddOn, BillingRequest
from billing.models.proposals import Proposal
from connections.models import Connection, Event
from revampd.kit.errors import DomainError, Invalid, NotAllowed
from tests.billing.acts import (
    NOW,
)
from tests.cast import plan


class TestChoose:
    """A customer's own act, on Bluebird's connection with Revampd."""

    @pytest.fixture
    def tier(self, cast):
        return plan(cast.revampd, cast.rhea, "Access", 20_00)

    def choose(self, cast, item, by, **details) -> BillingRequest:
        return BillingRequest.choose(
            Proposal(item, **details), connection=cast.revampd_bluebird, by=by, at=NOW
        )

    def test_is_made_and_approved_in_one_step(self, cast, tier):
        request = self.choose(cast, tier, cast.bella)

        found = BillingRequest.objects.get()
        assert (found.state, found.made_by) == ("APPROVED", "CUSTOMER")
        assert found.proposed_by == found.decided_by == cast.bella
        assert found.seal == terms.seal(found.terms) == request.seal
        codes = Event.objects.filter(connection=cast.revampd_bluebird, actor=cast.bella)
        assert sorted(codes.values_list("code", flat=True)) == [
            "billing_request.chosen",
            "subscription.started",
        ]
        assert cast.revampd_bluebird.invoices.get().lines.get().request == found

    @pytest.mark.parametrize("name", ["sam", "theo", "noah", "maya", "rhea", "fay", "zed"])
    def test_is_for_owners_and_billing_of_the_customer(self, cast, tier, name):
        with pytest.raises(NotAllowed):
            self.choose(cast, tier, getattr(cast, name))

        assert not BillingRequest.objects.exists()

    def test_of_an_add_on_needs_a_tier_that_a_partner_has(self, cast, tier):
        add_on = AddOn.offer(provider=cast.revampd, by=cast.rhea, name="Line", unit_price=5_00)
        details = {"connection": cast.revampd_northwind, "by": cast.maya, "at": NOW}

        with pytest.raises(DomainError):
            BillingRequest.choose(Proposal(add_on), **details)
        assert not BillingRequest.objects.exists()
        BillingRequest.choose(Proposal(tier), **details)
        BillingRequest.choose(Proposal(add_on, quantity=2), **details)

    def test_is_nothing_that_a_partners_customer_can_do(self, cast):
        with pytest.raises(NotAllowed, match="changes through requests"):
            BillingRequest.choose(
                Proposal(cast.growth), connection=cast.northwind_bluebird, by=cast.ben, at=NOW
            )

        assert not BillingRequest.objects.exists()

    def test_needs_an_active_connection(self, cast, tier):
        Connection.objects.filter(pk=cast.revampd_bluebird.pk).update(state="SUSPENDED")

        with pytest.raises(Invalid):
            self.choose(cast, tier, cast.ben)
