"""What the port promises, of every gateway that stands behind it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from billing.gateways.base import (
    ClaimState,
    CustomerRef,
    Disputed,
    KeyReused,
    Refused,
    State,
    Unanswered,
)
from revampd.kit.money import Money

from .conftest import AT, BACK, OWNER, PRICE, order_by, refund_of


class TestSetup:
    def test_gives_a_method_once_the_customer_is_done(self, world):
        setup = world.gateway.begin_setup(CustomerRef(OWNER, "Bluebird", "pay@b.example"), BACK)
        assert world.gateway.finish_setup(setup.reference) is None
        assert setup.url.startswith(("/sandbox/", "https://checkout.stripe.com/"))

        world._type(setup.reference, "5555555555554444")

        method = world.gateway.finish_setup(setup.reference)
        assert (method.brand, method.last4) == ("Mastercard", "4444")
        assert (method.exp_month, method.exp_year) == (4, 2029)
        assert (method.owner, method.customer) == (OWNER, setup.customer)
        assert world.gateway.finish_setup(setup.reference) == method

    def test_adds_further_methods_to_the_same_customer(self, world):
        first = world.add("visa")
        ref = CustomerRef(OWNER, "Bluebird", "pay@b.example", reference=first.customer)

        assert world.gateway.begin_setup(ref, BACK).customer == first.customer

    def test_of_an_unknown_reference_is_refused(self, world):
        with pytest.raises(Refused):
            world.gateway.finish_setup("setup_nobody_began")


class TestCharge:
    def test_takes_the_money(self, world):
        order = world.order()

        outcome = world.gateway.charge(order)

        assert (outcome.state, outcome.decline) == (State.SUCCEEDED, None)
        assert outcome.reference
        assert world.taken == [PRICE.minor]

    def test_takes_it_once_however_often_it_is_sent(self, world):
        order = world.order()

        outcomes = {world.gateway.charge(order) for _ in range(4)}

        assert len(outcomes) == 1
        assert world.taken == [PRICE.minor]

    @pytest.mark.parametrize(
        "change",
        [{"amount": Money(5_000)}, {"amount": Money(4_900, "EUR")}, {"description": "Other"}],
        ids=["amount", "currency", "description"],
    )
    def test_refuses_a_key_that_was_another_orders(self, world, change):
        order = world.order()
        world.gateway.charge(order)

        with pytest.raises(KeyReused):
            world.gateway.charge(replace(order, **change))
        assert world.taken == [PRICE.minor]

    @pytest.mark.parametrize(
        ("card", "is_hard"),
        [
            *(("generic_decline", False), ("insufficient_funds", False)),
            *(("processing_error", False), ("lost_card", True)),
            *(("stolen_card", True), ("expired_card", True)),
        ],
    )
    def test_tells_why_it_failed_and_whether_for_good(self, world, card, is_hard):
        order = world.order(card)

        outcome = world.gateway.charge(order)

        assert outcome.state is State.FAILED
        assert (outcome.decline.code, outcome.decline.is_hard) == (card, is_hard)
        assert outcome.decline.sentence.endswith(".")
        assert world.gateway.charge(order) == outcome
        assert world.gateway.look_up(order) == outcome
        assert world.taken == []

    def test_of_another_customers_method_fails_for_good(self, world):
        method = world.add("visa")
        order = replace(order_by(method), customer="cus_somebody_else")

        outcome = world.gateway.charge(order)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "method_gone")
        assert outcome.decline.is_hard
        assert world.taken == []

    def test_is_refused_inside_a_transaction(self, world):
        order = world.order()

        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            world.gateway.charge(order)
        assert world.taken == []


class TestUnanswered:
    def test_before_it_went_through_leaves_nothing(self, world):
        order = world.order("request_lost")

        with pytest.raises(Unanswered):
            world.gateway.charge(order)

        assert world.gateway.look_up(order) is None
        assert world.taken == []
        assert world.gateway.charge(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_after_it_went_through_is_found_by_its_key(self, world):
        order = world.order("answer_lost")

        with pytest.raises(Unanswered):
            world.gateway.charge(order)

        found = world.gateway.look_up(order)
        assert found.state is State.SUCCEEDED
        assert world.gateway.look_up(order, found.reference) == found
        assert world.gateway.charge(order) == found
        assert world.taken == [PRICE.minor]


class TestLookUp:
    def test_knows_nothing_of_what_was_never_sent(self, world):
        order = world.order()
        world.gateway.charge(replace(order, key=uuid4()))

        assert world.gateway.look_up(order) is None

    def test_finds_one_among_many(self, world):
        method = world.add("visa")
        orders = [order_by(method, Money(1_000 + number)) for number in range(7)]
        references = [world.gateway.charge(order).reference for order in orders]

        assert [world.gateway.look_up(order).reference for order in orders] == references

    @pytest.mark.parametrize(
        ("card", "end"), [("delayed", State.SUCCEEDED), ("delayed_decline", State.FAILED)]
    )
    def test_tells_the_end_of_what_was_processing(self, world, card, end):
        order = world.order(card)
        begun = world.gateway.charge(order)
        assert begun.state is State.PROCESSING
        assert world.taken == []

        world.settle(begun.reference)

        outcome = world.gateway.look_up(order, begun.reference)
        assert (outcome.state, outcome.is_final) == (end, True)
        assert world.gateway.charge(order) == outcome
        assert len(world.taken) == (end is State.SUCCEEDED)


class TestAuthorization:
    @pytest.mark.parametrize("card", ["confirms_once", "confirms_always"])
    def test_lets_the_customer_confirm(self, world, card):
        order = world.order(card)
        asked = world.gateway.charge(order)
        assert (asked.state, world.taken) == (State.ACTION, [])

        url = world.gateway.authorization_url(asked.reference, BACK)
        assert url != BACK
        assert world.gateway.authorization_url(asked.reference, BACK) == url
        world.confirm(asked.reference, succeed=True)

        assert world.gateway.look_up(order, asked.reference).state is State.SUCCEEDED
        assert world.gateway.charge(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_lets_the_customer_refuse(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        world.gateway.authorization_url(asked.reference, BACK)

        world.confirm(asked.reference, succeed=False)

        outcome = world.gateway.look_up(order)
        assert outcome.decline.code == "payment_intent_authentication_failure"
        assert world.gateway.charge(order) == outcome
        assert world.taken == []

    def test_leads_straight_back_when_nothing_is_left_to_confirm(self, world):
        paid = world.gateway.charge(world.order())

        assert world.gateway.authorization_url(paid.reference, BACK) == BACK


class TestCancel:
    def test_gives_up_what_waits_for_the_customer(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)

        outcome = world.gateway.cancel(asked.reference)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "canceled")
        assert world.gateway.authorization_url(asked.reference, BACK) == BACK
        assert world.gateway.look_up(order, asked.reference) == outcome
        assert world.gateway.cancel(asked.reference) == outcome

    def test_tells_what_went_through_meanwhile(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        world.gateway.authorization_url(asked.reference, BACK)
        world.confirm(asked.reference, succeed=True)

        assert world.gateway.cancel(asked.reference).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]


class TestRefund:
    def test_gives_back_parts_up_to_what_was_taken(self, world):
        charge = world.gateway.charge(world.order()).reference
        parts = [refund_of(charge, 900), refund_of(charge, 4_000)]

        states = [world.gateway.refund(part).state for part in parts]

        assert states == [State.SUCCEEDED, State.SUCCEEDED]
        with pytest.raises(Refused):
            world.gateway.refund(refund_of(charge, 1))
        assert sorted(world.given_back) == [900, 4_000]

    def test_gives_it_once_however_often_it_is_sent(self, world):
        refund = refund_of(world.gateway.charge(world.order()).reference, 900)
        assert world.gateway.look_up_refund(refund) is None

        outcome = world.gateway.refund(refund)

        assert world.gateway.refund(refund) == outcome
        assert world.gateway.look_up_refund(refund) == outcome
        assert world.gateway.look_up_refund(refund, outcome.reference) == outcome
        assert world.given_back == [900]

    def test_refuses_a_key_that_was_another_refunds(self, world):
        refund = refund_of(world.gateway.charge(world.order()).reference, 900)
        world.gateway.refund(refund)

        with pytest.raises(KeyReused):
            world.gateway.refund(replace(refund, amount=Money(901)))
        assert world.given_back == [900]

    def test_may_take_a_while(self, world):
        charge = world.gateway.charge(world.order("refunds_later")).reference

        assert world.gateway.refund(refund_of(charge, 900)).state is State.PROCESSING

    def test_of_what_was_not_taken_is_refused(self, world):
        charge = world.gateway.charge(world.order("insufficient_funds")).reference

        with pytest.raises(Refused):
            world.gateway.refund(refund_of(charge, 900))
        assert world.given_back == []


class TestDispute:
    def test_says_whose_charge_it_is_and_what_the_bank_took(self, world):
        order = world.order()
        charge = world.gateway.charge(order).reference

        claim = world.gateway.look_up_dispute(world.dispute(charge, 4_000))

        assert (claim.key, claim.amount) == (order.key, Money(4_000))
        assert (claim.state, claim.reason) == (ClaimState.OPEN, "fraudulent")
        assert claim.respond_by == AT + timedelta(days=7)

    @pytest.mark.parametrize("end", [ClaimState.WON, ClaimState.LOST])
    def test_ends_as_the_bank_decides(self, world, end):
        dispute = world.dispute(world.gateway.charge(world.order()).reference, 4_900)

        world.decide(dispute, end)

        assert world.gateway.look_up_dispute(dispute).state is end

    def test_is_listed_with_all_others_since_a_day(self, world):
        method = world.add("visa")
        orders = [order_by(method, Money(1_000 + number)) for number in range(5)]
        for order in orders:
            world.dispute(world.gateway.charge(order).reference, 500)

        claims = list(world.gateway.disputes(AT - timedelta(days=1)))

        assert {claim.key for claim in claims} == {order.key for order in orders}
        assert list(world.gateway.disputes(AT + timedelta(days=1))) == []

    def test_keeps_a_refund_from_being_made(self, world):
        charge = world.gateway.charge(world.order()).reference
        dispute = world.dispute(charge, 4_000)

        with pytest.raises(Disputed):
            world.gateway.refund(refund_of(charge, 900))
        world.decide(dispute, ClaimState.WON)

        assert world.gateway.refund(refund_of(charge, 900)).state is State.SUCCEEDED

    def test_of_an_unknown_reference_is_refused(self, world):
        with pytest.raises(Refused):
            world.gateway.look_up_dispute("dp_nobody_knows")


class TestDetach:
    def test_ends_a_method(self, world):
        order = world.order()

        for _ in range(2):
            world.gateway.detach(order.method)

        outcome = world.gateway.charge(order)
        assert (outcome.state, outcome.decline.code) == (State.FAILED, "method_gone")
        assert outcome.decline.is_hard
        assert world.taken == []

    def test_of_an_unknown_one_is_fine(self, world):
        world.gateway.detach("pm_gone")
