"""The sandbox alone: its pages, its webhooks, its books and its time."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from billing.gateways import signing
from billing.gateways.base import BadSignature, CustomerRef, Refused, State, Subject, Unanswered
from billing.gateways.cards import ALL, BY_NAME, Behaviour
from billing.gateways.sandbox import Sandbox, due_webhooks
from billing.models.sandbox import (
    SETTLES_AFTER,
    TOLD_AGAIN_AFTER,
    SandboxCharge,
    SandboxMethod,
    SandboxSetup,
)
from revampd.kit.money import Money

from .conftest import AT, BACK, OWNER, PRICE, SandboxWorld, order_by, refund_of

GOOD = {"number": "4242 4242 4242 4242", "exp_month": "04", "exp_year": "29", "cvc": "123"}
MUCH_LATER = AT + timedelta(days=1)


@pytest.fixture
def world(sandbox_world) -> SandboxWorld:
    return sandbox_world


def is_luhn_valid(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def told(at=MUCH_LATER) -> list[tuple[str, str]]:
    """The events that are delivered until `at`, in that order: id and type."""
    notices = [
        Sandbox(at).parse_webhook(webhook.body, webhook.headers, at=at)
        for webhook in due_webhooks(at)
    ]
    return [(notice.event_id, notice.type) for notice in notices]


def types(at=MUCH_LATER) -> list[str]:
    return [kind for _, kind in told(at) if not kind.startswith("setup")]


class TestCards:
    @pytest.mark.parametrize("card", ALL, ids=lambda card: card.name)
    def test_have_numbers_that_a_form_would_take(self, card):
        assert (len(card.number), is_luhn_valid(card.number)) == (16, True)
        assert card.grouped.replace(" ", "") == card.number

    def test_are_told_apart_by_number_and_name(self):
        assert len({card.number for card in ALL}) == len(BY_NAME) == len(ALL)

    def test_show_every_behaviour(self):
        assert {card.behaviour for card in ALL} == set(Behaviour)


class TestCompleteSetup:
    @pytest.fixture
    def setup(self, world) -> str:
        return world.gateway.begin_setup(
            CustomerRef(OWNER, "Bluebird", "b@b.example"), BACK
        ).reference

    @pytest.mark.parametrize("number", ["4242424242424242", "4242-4242-4242-4242"])
    def test_reads_what_people_type(self, world, setup, number):
        typed = GOOD | {"number": number, "exp_month": "4", "exp_year": "2029"}

        assert world.sandbox.complete_setup(setup, **typed) == BACK
        assert world.gateway.finish_setup(setup).last4 == "4242"

    @pytest.mark.parametrize(
        ("field", "typed", "sentence"),
        [
            *(("number", n, "no real card") for n in ("", "4111111111111111", "4242", "no")),
            ("number", "４２４２４２４２４２４２４２４２", "no real card"),
            ("number", "4000 0000 0000 0002", "The bank declined this card."),
            *(("exp_month", m, "1 to 12") for m in ("", "0", "13", "-1", "1e1", "٤", "004")),
            *(("exp_year", y, "2029") for y in ("", "9", "1999", "2100", "x", "+29", "029")),
            ("exp_year", "25", "has expired"),
            *(("cvc", c, "three digits") for c in ("", "12", "1234", "abc", "１２３")),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, world, setup, field, typed, sentence):
        with pytest.raises(ValidationError) as refusal:
            world.sandbox.complete_setup(setup, **GOOD | {field: typed})

        messages = refusal.value.message_dict
        assert list(messages) == [field]
        assert sentence in messages[field][0]
        assert world.gateway.finish_setup(setup) is None

    def test_says_everything_at_once(self, world, setup):
        with pytest.raises(ValidationError) as refusal:
            world.sandbox.complete_setup(setup, number="1", exp_month="x", exp_year="", cvc="")

        assert set(refusal.value.message_dict) == {"number", "exp_month", "exp_year", "cvc"}

    def test_takes_a_card_until_the_end_of_its_month(self, world, setup):
        with pytest.raises(ValidationError):
            world.sandbox.complete_setup(setup, **GOOD | {"exp_month": "10", "exp_year": "26"})
        world.sandbox.complete_setup(setup, **GOOD | {"exp_month": "11", "exp_year": "26"})

    def test_adds_one_card_however_often_it_is_pressed(self, world, setup):
        for number in ("4242424242424242", "5555555555554444"):
            world.sandbox.complete_setup(setup, **GOOD | {"number": number})

        assert SandboxMethod.objects.count() == 1
        assert world.gateway.finish_setup(setup).last4 == "4242"
        assert [kind for _, kind in told()] == ["setup.completed"]

    def test_keeps_no_number(self, world, setup):
        world.sandbox.complete_setup(setup, **GOOD)

        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(m) FROM billing_sandboxmethod m")
            assert "4242" not in cursor.fetchone()[0]

    def test_of_an_unknown_setup_is_refused(self, world):
        with pytest.raises(Refused):
            world.sandbox.complete_setup("setup_nobody_began", **GOOD)


class TestAuthorize:
    def test_lets_a_card_confirm_once_for_all(self, world):
        method = world.add("confirms_once")
        asked = world.gateway.charge(order_by(method))
        world.gateway.authorization_url(asked.reference, BACK)

        assert world.sandbox.authorize(asked.reference, succeed=True) == BACK
        assert world.gateway.charge(order_by(method)).state is State.SUCCEEDED

    def test_asks_every_time_if_the_card_does(self, world):
        method = world.add("confirms_always")
        asked = world.gateway.charge(order_by(method))
        world.gateway.authorization_url(asked.reference, BACK)
        world.sandbox.authorize(asked.reference, succeed=True)

        assert world.gateway.charge(order_by(method)).state is State.ACTION

    def test_decides_once(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        world.gateway.authorization_url(asked.reference, BACK)

        for succeed in (False, True, True):
            world.sandbox.authorize(asked.reference, succeed=succeed)

        assert world.gateway.look_up(order).state is State.FAILED
        assert world.taken == []
        assert types() == ["charge.action", "charge.failed"]


class TestWebhooks:
    def test_tell_of_a_charge_at_once(self, world):
        order = world.order()
        outcome = world.gateway.charge(order)

        webhook = list(due_webhooks(AT))[-1]
        notice = world.gateway.parse_webhook(webhook.body, webhook.headers, at=AT)

        assert (notice.type, notice.subject) == ("charge.succeeded", Subject.CHARGE)
        assert (notice.key, notice.reference) == (order.key, outcome.reference)
        assert notice.at == AT

    def test_are_told_once(self, world):
        world.gateway.charge(world.order())
        assert [kind for _, kind in told()] == ["setup.completed", "charge.succeeded"]
        assert told() == []

    @pytest.mark.parametrize(
        ("card", "expected"),
        [
            ("visa", ["charge.succeeded"]),
            ("lost_card", ["charge.failed"]),
            ("answer_lost", ["charge.succeeded"]),
            ("request_lost", []),
            ("confirms_always", ["charge.action"]),
            ("delayed", ["charge.processing", "charge.succeeded"]),
            ("delayed_decline", ["charge.processing", "charge.failed"]),
            ("tells_twice", ["charge.succeeded", "charge.succeeded"]),
            ("tells_in_disorder", ["charge.succeeded", "charge.processing"]),
        ],
    )
    def test_come_as_the_card_says(self, world, card, expected):
        order = world.order(card)
        with suppress(Unanswered):
            world.gateway.charge(order)

        assert types() == expected

    def test_of_one_event_have_one_id_however_often_it_is_told(self, world):
        world.gateway.charge(world.order("tells_twice"))

        ids = [event_id for event_id, kind in told() if kind == "charge.succeeded"]
        assert (len(ids), len(set(ids))) == (2, 1)

    def test_wait_until_they_are_due(self, world):
        world.gateway.charge(world.order("tells_in_disorder"))
        end = AT + SETTLES_AFTER

        assert types(end - timedelta(seconds=1)) == []
        assert types(end) == ["charge.succeeded"]
        assert types(end) == []
        assert types(end + TOLD_AGAIN_AFTER) == ["charge.processing"]

    def test_are_handed_out_again_if_nobody_came_back(self, world):
        world.gateway.charge(world.order())

        for _ in due_webhooks(AT):
            break  # as one that dies over the first

        assert [kind for _, kind in told()] == ["setup.completed", "charge.succeeded"]

    def test_can_be_had_for_one_customer(self, world):
        order = world.order()
        world.gateway.charge(order)

        assert list(due_webhooks(MUCH_LATER, customer="cus_somebody_else")) == []
        assert len(list(due_webhooks(MUCH_LATER, customer=order.customer))) == 2

    def test_are_signed_when_they_leave(self, world):
        world.gateway.charge(world.order("delayed"))
        later = AT + timedelta(days=60)

        for webhook in due_webhooks(later):
            assert world.gateway.parse_webhook(webhook.body, webhook.headers, at=later).at < later

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda body, headers: (body + b" ", headers),
            lambda body, _: (body, {}),
            lambda body, _: (body, {signing.HEADER: signing.sign(body, "guessed", AT)}),
        ],
        ids=["changed", "unsigned", "forged"],
    )
    def test_are_refused_from_anybody_else(self, world, spoil):
        world.gateway.charge(world.order())
        webhook = next(due_webhooks(AT))

        with pytest.raises(BadSignature):
            world.gateway.parse_webhook(*spoil(*webhook), at=AT)

    def test_are_refused_when_replayed_later(self, world):
        world.gateway.charge(world.order())
        webhook = next(due_webhooks(AT))

        with pytest.raises(BadSignature):
            world.gateway.parse_webhook(*webhook, at=AT + timedelta(minutes=6))

    def test_never_make_a_second_charge(self, world):
        """Whoever sends the order again at every webhook has still paid once."""
        for card in ("tells_twice", "tells_in_disorder", "answer_lost", "delayed"):
            order = world.order(card)
            for _ in range(2):
                with suppress(Unanswered):
                    world.gateway.charge(order)
            world.sandbox.at = MUCH_LATER
            for webhook in due_webhooks(MUCH_LATER):
                notice = world.gateway.parse_webhook(*webhook, at=MUCH_LATER)
                if notice.subject is Subject.CHARGE:
                    assert world.gateway.charge(order).state is State.SUCCEEDED
            world.sandbox.at = AT

        assert world.taken == [PRICE.minor] * 4


class TestTime:
    def test_settles_when_it_is_looked_at(self, world):
        order = world.order("delayed")
        world.gateway.charge(order)
        just_before = AT + SETTLES_AFTER - timedelta(microseconds=1)

        assert Sandbox(just_before).look_up(order).state is State.PROCESSING
        assert Sandbox(AT + SETTLES_AFTER).look_up(order).state is State.SUCCEEDED
        assert Sandbox(AT).look_up(order).state is State.SUCCEEDED

    def test_lets_cards_expire(self, world):
        method = world.add("visa")  # good until April 2029
        world.sandbox.at = AT.replace(year=2029, month=4, day=30)
        assert world.gateway.charge(order_by(method)).state is State.SUCCEEDED

        world.sandbox.at = AT.replace(year=2029, month=5, day=1)
        assert world.gateway.charge(order_by(method)).decline.code == "expired_card"

    def test_lets_a_refund_fail_later(self, world):
        refund = refund_of(world.gateway.charge(world.order("refuses_refunds")).reference, 900)
        assert world.gateway.refund(refund).state is State.PROCESSING

        world.sandbox.at = MUCH_LATER
        outcome = world.gateway.look_up_refund(refund)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "refund_failed")
        again = world.gateway.refund(replace(refund, key=uuid4(), amount=PRICE))
        assert again.state is State.PROCESSING  # what failed can be given back still
        assert "refund.failed" in types(MUCH_LATER + SETTLES_AFTER)


class TestBooks:
    def test_stay_when_the_callers_transaction_fails(self, committed):
        world = SandboxWorld()
        order = world.order()
        world.gateway.charge(order)

        with transaction.atomic():
            SandboxSetup.objects.update(begun_at=MUCH_LATER)
            transaction.set_rollback(True)

        assert SandboxSetup.objects.get().begun_at == AT

        assert world.gateway.look_up(order).state is State.SUCCEEDED

    def test_charge_once_when_asked_at_the_same_moment(self, committed):
        world = SandboxWorld()
        orders = [world.order("answer_lost"), *(world.order() for _ in range(9))]
        start = Barrier(4)

        def press() -> None:
            try:
                for order in orders:
                    start.wait()
                    with suppress(Unanswered):
                        Sandbox(AT).charge(order)
            finally:
                connection.close()

        threads = [Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert world.taken == [PRICE.minor] * 10
        assert types().count("charge.succeeded") == 10

    def test_give_back_no_more_than_was_taken_when_asked_at_the_same_moment(self, committed):
        world = SandboxWorld()
        charge = world.gateway.charge(world.order()).reference
        start = Barrier(4)

        def give() -> None:
            try:
                start.wait()
                Sandbox(AT).refund(refund_of(charge, 2_000))
            except Refused:
                pass
            finally:
                connection.close()

        threads = [Thread(target=give) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert world.given_back == [2_000, 2_000]

    def test_know_the_amount_and_the_currency(self, world):
        order = world.order(amount=Money(1_234, "EUR"))
        world.gateway.charge(order)

        assert SandboxCharge.objects.get(key=order.key).money == Money(1_234, "EUR")

    def test_are_json_that_names_the_object(self, world):
        order = world.order()
        outcome = world.gateway.charge(order)
        event = json.loads(list(due_webhooks(AT))[-1].body)

        assert event["object"] == {"reference": outcome.reference, "key": str(order.key)}
