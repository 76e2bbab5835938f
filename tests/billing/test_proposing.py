"""Proposing: what can be offered, and what its terms promise."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import terms
from billing.models import AddOn, BillingRequest, Invoice, Subscription
from billing.models.catalog import NotOnSale
from billing.models.proposals import Proposal
from billing.pricing import Timing
from connections.models import Connection, Event, Organization
from revampd.kit.errors import Invalid
from tests.billing.acts import (
    NOW,
    TODAY,
    agree,
    day,
    happened,
    propose,
)
from tests.cast import plan

OVER = timedelta(days=30)


class TestPropose:
    def test_seals_what_is_offered_and_tells_the_customer(self, cast):
        request = propose(cast, note="  As we discussed.  ")

        assert request.is_pending
        assert request.seal == terms.seal(request.terms)
        assert request.note == request.terms["note"] == "As we discussed."
        assert request.expires_at == NOW + OVER
        assert happened(cast) == {"billing_request.sent": 1}
        event = Event.objects.get(code="billing_request.sent")
        assert event.actor == cast.noah
        assert event.organization == cast.northwind
        assert event.facts["item"] == "Growth"
        assert event.facts["price"] == "$149.00 a month"
        assert event.facts["provider"] == "Northwind Agency"
        assert event.outbox

    def test_costs_nothing_yet(self, cast):
        propose(cast)

        assert not Subscription.objects.exists()
        assert not Invoice.objects.exists()

    @pytest.mark.parametrize(
        ("details", "field"),
        [
            ({"timing": Timing.NEXT_CYCLE}, "timing"),
            ({"timing": Timing.DATE}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": TODAY - timedelta(1)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": TODAY + timedelta(367)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": date(2300, 1, 1)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": date.max}, "effective_date"),
            ({"quantity": 2}, "quantity"),
            ({"quantity": 0}, "quantity"),
            ({"note": "x" * 2_001}, "note"),
            ({"expires_at": NOW}, "expires_on"),
            ({"expires_at": NOW - timedelta(days=1)}, "expires_on"),
            ({"expires_at": NOW + timedelta(days=367)}, "expires_on"),
        ],
    )
    def test_refuses_what_cannot_be(self, cast, details, field):
        with pytest.raises(Invalid) as refusal:
            propose(cast, **details)

        assert refusal.value.field == field
        assert not BillingRequest.objects.exists()
        assert happened(cast) == {}

    @pytest.mark.parametrize("quantity", [-1, 0, 10_001])
    def test_refuses_a_quantity_out_of_range(self, cast, quantity):
        agree(cast)

        with pytest.raises(Invalid, match="from 1 to 10,000") as refusal:
            propose(cast, cast.phone_numbers, quantity=quantity)

        assert refusal.value.field == "quantity"

    @pytest.mark.parametrize("quantity", [1, 10_000])
    def test_takes_a_quantity_in_range(self, cast, quantity):
        agree(cast)

        assert propose(cast, cast.phone_numbers, quantity=quantity).quantity == quantity

    @pytest.mark.parametrize("ahead", [0, 1, 366])
    def test_takes_a_day_within_a_year(self, cast, ahead):
        chosen = TODAY + timedelta(ahead)

        request = propose(cast, timing=Timing.DATE, effective_date=chosen)

        assert request.effective_date == chosen
        assert request.terms["effective_date"] == chosen.isoformat()

    def test_ignores_a_day_beside_another_timing(self, cast):
        agree(cast)
        typed = {"effective_date": date(2027, 5, 5)}

        now = propose(cast, cast.scale, timing=Timing.NOW, **typed)
        then = propose(cast, cast.scale, timing=Timing.NEXT_CYCLE, **typed)

        assert (now.effective_date, then.effective_date) == (None, day("2026-12-10"))

    def test_can_be_approved_until_its_day_ends_where_the_provider_is(self, cast):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone="America/Los_Angeles")

        request = propose(cast, timing=Timing.DATE, effective_date=day("2026-11-12"))

        assert request.expires_at == datetime(2026, 11, 13, 7, 59, 59, tzinfo=UTC)

    def test_takes_an_earlier_time_to_decide_by(self, cast):
        chosen = NOW + timedelta(days=5)

        assert propose(cast, expires_at=chosen).expires_at == chosen

    def test_refuses_what_another_provider_sells(self, cast):
        with pytest.raises(Invalid, match="your own catalog"):
            propose(cast, cast.contoso_basic)

    def test_refuses_what_is_off_sale(self, cast):
        cast.growth.retire(by=cast.maya, at=NOW)
        cast.setup.archive(by=cast.maya, at=NOW)
        cast.scale.plan.archive(by=cast.maya, at=NOW)

        for item in (cast.growth, cast.setup, cast.scale):
            item.refresh_from_db()
            with pytest.raises(NotOnSale, match="no longer on sale"):
                propose(cast, item)

    def test_refuses_another_currency(self, cast):
        euro = AddOn(provider=cast.revampd, name="Euro", currency="EUR", unit_price=100)
        euro.save()
        proposal = Proposal(euro)

        with pytest.raises(Invalid, match="priced in EUR"):
            BillingRequest.propose(proposal, connection=cast.revampd_bluebird, by=cast.rhea, at=NOW)

    def test_refuses_an_add_on_that_no_plan_could_carry(self, cast):
        with pytest.raises(Invalid, match="no plan that an add-on could join") as refusal:
            propose(cast, cast.phone_numbers)

        assert refusal.value.field == "item"

    def test_takes_an_add_on_while_a_plan_waits_for_approval(self, cast):
        propose(cast)

        assert propose(cast, cast.phone_numbers).is_pending

    def test_refuses_the_plan_that_runs_already(self, cast):
        agree(cast)

        with pytest.raises(Invalid, match="has this plan already"):
            propose(cast)
        assert propose(cast, cast.growth_yearly).is_pending

    def test_refuses_a_change_that_would_give_money_back(self, cast):
        agree(cast, cast.scale)
        small = plan(cast.northwind, cast.maya, "Small", 45_00)

        with pytest.raises(Invalid, match="Choose the next billing cycle") as refusal:
            propose(cast, small)

        assert refusal.value.field == "timing"
        assert propose(cast, small, timing=Timing.NEXT_CYCLE).is_pending

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("INVITED", "has not accepted your invitation yet"),
            ("SUSPENDED", "The connection with Bluebird Clinic is suspended"),
            ("ENDED", "The connection with Bluebird Clinic is ended"),
        ],
    )
    def test_needs_an_active_connection(self, cast, state, words):
        Connection.objects.filter(pk=cast.northwind_bluebird.pk).update(state=state)

        with pytest.raises(Invalid, match=words):
            propose(cast)

    def test_that_is_sent_twice_is_one(self, cast):
        key = propose(cast).pk
        again = BillingRequest.propose(
            Proposal(cast.scale), connection=cast.northwind_bluebird, by=cast.noah, at=NOW, key=key
        )

        assert again.pk == key
        assert BillingRequest.objects.get().item_name == "Growth"
        assert happened(cast) == {"billing_request.sent": 1}

    def test_names_what_it_replaces(self, cast):
        agree(cast)

        request = propose(cast, cast.scale)

        replaced = {"name": "Growth", "price": 149_00, "interval": "MONTH"}
        assert request.terms["replaces"] == replaced
