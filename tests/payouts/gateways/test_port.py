"""What holds for every gateway that pays out: each test runs against the sandbox and Stripe."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import transaction

from billing.gateways.base import KeyReused, Refused, State, Unanswered
from payouts.gateways.accounts import BY_NAME
from revampd.kit.money import Money

from .conftest import AGAIN, AMOUNT, BACK, OWNER, REF, order_to


class TestLink:
    def test_leads_to_a_page_of_the_gateway(self, world):
        link = world.begin()

        assert link.url != BACK
        assert world.gateway.finish_link(link.reference) is None

    def test_tells_which_account_was_linked_and_whose_it_is(self, world):
        details = world.link("later")

        assert (details.bank, details.last4) == ("First Prairie Bank", "6789")
        assert (details.owner, details.is_ready) == (OWNER, True)

    def test_tells_the_same_when_asked_again(self, world):
        link = world.begin()
        world.choose(link, "later")

        first, second = (world.gateway.finish_link(link.reference) for _ in range(2))

        assert first == second
        assert world.gateway.details(first.reference) == first

    def test_of_an_unknown_reference_is_refused(self, world):
        with pytest.raises(Refused):
            world.gateway.finish_link("link_nobody_began")

    def test_of_another_one_is_another_account(self, world):
        assert world.link("later").reference != world.link("at_once").reference

    def test_is_refused_inside_a_transaction(self, world):
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            world.gateway.begin_link(REF, BACK, AGAIN)


class TestSend:
    def test_is_under_way_until_it_arrives(self, world):
        order = world.order("later")

        sent = world.gateway.send(order)
        assert (sent.state, sent.decline) == (State.PROCESSING, None)
        assert sent.reference
        world.arrive()

        assert world.gateway.look_up(order, sent.reference).state is State.SUCCEEDED
        assert world.arrived == [AMOUNT.minor]

    def test_may_arrive_at_once(self, world):
        assert world.gateway.send(world.order("at_once")).state is State.SUCCEEDED
        assert world.arrived == [AMOUNT.minor]

    @pytest.mark.parametrize("name", ["closed", "refused"])
    def test_that_fails_says_why_and_leaves_the_money_with_us(self, world, name):
        order = world.order(name)
        sent = world.gateway.send(order)
        world.arrive()

        outcome = world.gateway.look_up(order, sent.reference)

        assert outcome.state is State.FAILED
        assert outcome.decline.code == BY_NAME[name].code
        assert outcome.decline.sentence.endswith(".")
        assert world.gone == 0
        assert world.gateway.look_up(order) == outcome
        assert world.gateway.send(order).state is State.FAILED
        assert world.gone == 0

    def test_may_come_back_after_it_arrived(self, world):
        order = world.order("returned")
        sent = world.gateway.send(order)
        world.arrive()
        assert world.gateway.look_up(order, sent.reference).state is State.SUCCEEDED
        assert world.gone == AMOUNT.minor
        world.arrive()

        outcome = world.gateway.look_up(order, sent.reference)

        assert outcome.state is State.FAILED
        assert outcome.decline.code == BY_NAME["returned"].code
        assert world.gone == 0
        assert world.gateway.send(order) == outcome

    @pytest.mark.parametrize("name", ["later", "at_once", "closed"])
    def test_happens_once_however_often_it_is_sent(self, world, name):
        order = world.order(name)

        outcomes = {world.gateway.send(order) for _ in range(4)}

        assert len(outcomes) == 1
        assert world.gone == AMOUNT.minor

    @pytest.mark.parametrize(
        "change",
        [{"amount": Money(50_00)}, {"amount": Money(70_00, "EUR")}, {"description": "Other"}],
        ids=["amount", "currency", "description"],
    )
    def test_refuses_a_key_that_was_another_orders(self, world, change):
        order = world.order()
        world.gateway.send(order)

        with pytest.raises(KeyReused):
            world.gateway.send(replace(order, **change))
        assert world.gone == AMOUNT.minor

    def test_to_an_account_that_is_gone_fails(self, world):
        order = replace(world.order(), account="acct_nobodys:ba_nobodys")

        outcome = world.gateway.send(order)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "account_gone")
        assert world.gone == 0

    def test_is_refused_inside_a_transaction(self, world):
        order = world.order()

        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            world.gateway.send(order)
        assert world.gone == 0


class TestUnanswered:
    @pytest.mark.parametrize("name", ["request_lost", "answer_lost"])
    def test_goes_on_where_it_stopped(self, world, name):
        order = world.order(name)

        with pytest.raises(Unanswered):
            world.gateway.send(order)

        outcome = world.gateway.look_up(order) or world.gateway.send(order)
        world.arrive()
        assert world.gateway.look_up(order, outcome.reference).state is State.SUCCEEDED
        assert world.arrived == [AMOUNT.minor]
        assert world.gone == AMOUNT.minor

    def test_before_anything_happened_leaves_nothing(self, world):
        order = world.order("request_lost")

        with pytest.raises(Unanswered):
            world.gateway.send(order)

        assert world.gateway.look_up(order) is None
        assert world.gone == 0


class TestLookUp:
    def test_knows_nothing_of_what_was_never_sent(self, world):
        order = world.order()
        world.gateway.send(replace(order, key=uuid4()))

        assert world.gateway.look_up(order) is None

    def test_finds_one_among_many(self, world):
        details = world.link("later")
        orders = [order_to(details, Money(1_000 + number)) for number in range(7)]
        references = [world.gateway.send(order).reference for order in orders]

        assert [world.gateway.look_up(order).reference for order in orders] == references
        world.arrive()
        assert {world.gateway.look_up(order).state for order in orders} == {State.SUCCEEDED}
