"""The Stripe adapter alone: a network that fails, answers that are old, and webhooks."""

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from django.db import connection
from stripe import WebhookSignature

from billing.gateways import signing
from billing.gateways.base import (
    BadSignature,
    CustomerRef,
    Notice,
    Outcome,
    Refused,
    State,
    Subject,
    Unanswered,
)
from billing.gateways.declines import HARD, SOFT, decline
from billing.gateways.stripe_api import StripeGateway
from revampd.kit.money import Money

from .conftest import AT, BACK, OWNER, PRICE, WEBHOOK_SECRET, StripeWorld, order_by, refund_of
from .fake_server import SECRET_KEY
from .fake_stripe import Fault

INTENTS = "/v1/payment_intents"
KEY = UUID("0192f000-0000-7000-8000-00000000000a")


@pytest.fixture
def world(stripe_world) -> StripeWorld:
    return stripe_world


class TestNetwork:
    @pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
    def test_that_answers_with_trouble_has_told_no_outcome(self, world, status):
        order = world.order()
        world.fake.faults.append(Fault(INTENTS, status=status))

        with pytest.raises(Unanswered):
            world.gateway.charge(order)

        assert world.gateway.look_up(order) is None
        assert world.gateway.charge(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_that_is_slow_has_told_no_outcome(self, world):
        order = world.order()
        world.fake.faults.append(Fault(INTENTS, delay=1.5))
        hasty = StripeGateway(SECRET_KEY, WEBHOOK_SECRET, api_base=world.fake.url, timeout=(5, 0.3))

        with pytest.raises(Unanswered):
            hasty.charge(order)
        hasty.close()

        assert world.gateway.charge(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_that_cannot_be_reached_has_told_no_outcome(self, world):
        order = world.order()
        nowhere = StripeGateway(SECRET_KEY, WEBHOOK_SECRET, api_base="http://127.0.0.1:1")

        for ask in (nowhere.charge, nowhere.look_up):
            with pytest.raises(Unanswered):
                ask(order)
        nowhere.close()

    def test_is_asked_once_at_a_time(self, world):
        """The library repeats nothing by itself: whoever recorded the attempt does."""
        order = world.order()
        world.fake.requests.clear()
        world.fake.faults.append(Fault(INTENTS, before=True))

        with pytest.raises(Unanswered):
            world.gateway.charge(order)
        assert world.fake.requests == [("POST", INTENTS)]

    def test_with_a_wrong_key_tells_no_outcome(self, world):
        order = world.order()
        stranger = StripeGateway("sk_test_wrong", WEBHOOK_SECRET, api_base=world.fake.url)

        with pytest.raises(Unanswered):
            stranger.charge(order)
        stranger.close()

        assert world.gateway.charge(order).state is State.SUCCEEDED

    @pytest.mark.parametrize("times", [1, 3])
    def test_may_lose_answers_again_and_again(self, world, times):
        order = world.order()
        world.fake.faults.append(Fault(INTENTS, after=True, times=times))

        for _ in range(times):
            with pytest.raises(Unanswered):
                world.gateway.charge(order)

        assert world.gateway.charge(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_may_lose_the_answer_to_a_refund(self, world):
        refund = refund_of(world.gateway.charge(world.order()).reference, 900)
        world.fake.faults.append(Fault("/v1/refunds", after=True))

        with pytest.raises(Unanswered):
            world.gateway.refund(refund)

        found = world.gateway.look_up_refund(refund)
        assert found.state is State.SUCCEEDED
        assert world.gateway.refund(refund) == found
        assert world.given_back == [900]


class TestCharge:
    def test_finds_the_charge_after_the_key_was_forgotten(self, world):
        """Stripe drops keys after a day or more: then the list of payments tells."""
        order = world.order("answer_lost")
        with pytest.raises(Unanswered):
            world.gateway.charge(order)
        world.fake.answers.clear()

        assert world.gateway.look_up(order).state is State.SUCCEEDED
        assert world.taken == [PRICE.minor]

    def test_takes_one_at_the_same_moment(self, world, django_db_blocker):
        orders = [world.order() for _ in range(5)]
        start = Barrier(4)

        def press() -> None:
            gateway = StripeGateway(SECRET_KEY, WEBHOOK_SECRET, api_base=world.fake.url)
            with django_db_blocker.unblock():
                for order in orders:
                    start.wait()
                    gateway.charge(order)
                connection.close()
            gateway.close()

        threads = [Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert world.taken == [PRICE.minor] * 5

    def test_tells_stripe_whose_it_is(self, world):
        order = world.order()
        world.gateway.charge(order)

        [intent] = world.fake.of("payment_intent")
        assert intent["metadata"] == {"key": str(order.key)}
        assert (intent["amount"], intent["currency"]) == (4_900, "usd")
        assert intent["description"] == "Invoice 12"

    def test_too_small_for_a_card_fails_for_good(self, world):
        outcome = world.gateway.charge(world.order(amount=Money(49)))

        assert outcome == Outcome(State.FAILED, "", decline("amount_too_small"))
        assert outcome.decline.is_hard

    def test_that_was_never_tried_is_under_way(self, world):
        """As a look in the middle of another worker's request finds it."""
        order = world.order()
        reference = world.gateway.charge(order).reference
        world.fake.objects[reference]["status"] = "requires_confirmation"

        assert world.gateway.look_up(order).state is State.PROCESSING

    def test_heeds_the_advice_never_to_try_again(self, world):
        order = world.order("insufficient_funds")
        reference = world.gateway.charge(order).reference
        error = world.fake.objects[reference]["last_payment_error"]
        error["advice_code"] = "do_not_try_again"

        outcome = world.gateway.look_up(order, reference)
        assert (outcome.decline.code, outcome.decline.is_hard) == ("insufficient_funds", True)

    def test_takes_back_an_answer_that_was_overtaken(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        world.fake.objects[asked.reference]["status"] = "succeeded"

        assert world.gateway.charge(order) == Outcome(State.SUCCEEDED, asked.reference)


class TestAuthorization:
    def test_leads_back_when_the_bank_declines_after_all(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        method = order.method
        world.fake.numbers[method] = "4000000000009995"

        assert world.gateway.authorization_url(asked.reference, BACK) == BACK
        assert world.gateway.look_up(order).decline.code == "insufficient_funds"

    def test_leads_back_when_the_bank_asks_for_nothing_after_all(self, world):
        order = world.order("confirms_always")
        asked = world.gateway.charge(order)
        world.fake.numbers[order.method] = "4242424242424242"

        assert world.gateway.authorization_url(asked.reference, BACK) == BACK
        assert world.gateway.look_up(order).state is State.SUCCEEDED


class TestSetup:
    def test_tells_stripe_who_it_is(self, world):
        setup = world.gateway.begin_setup(CustomerRef(OWNER, "Bluebird", "pay@b.example"), BACK)

        [customer] = world.fake.of("customer")
        assert (customer["name"], customer["email"]) == ("Bluebird", "pay@b.example")
        assert customer["metadata"] == {"key": str(OWNER)}
        session = world.fake.objects[setup.reference]
        assert (session["success_url"], session["cancel_url"]) == (BACK, BACK)
        assert session["allowed_payment_method_types"] == ["card"]

    def test_gives_nothing_while_the_card_is_not_confirmed(self, world):
        setup = world.gateway.begin_setup(CustomerRef(OWNER, "Bluebird", "pay@b.example"), BACK)
        world.fake.complete(setup.reference, "4242424242424242")
        world.fake.objects[setup.reference]["setup_intent"]["status"] = "processing"

        assert world.gateway.finish_setup(setup.reference) is None


class TestDetach:
    def test_that_stripe_refuses_is_told(self, world):
        method = world.add("visa")
        world.fake.faults.append(
            Fault(f"/v1/payment_methods/{method.reference}/detach", status=503)
        )

        with pytest.raises(Unanswered):
            world.gateway.detach(method.reference)
        assert world.gateway.charge(order_by(method)).state is State.SUCCEEDED


def event(kind: str = "payment_intent.succeeded", **about: object) -> bytes:
    thing = {"id": "pi_1", "object": "payment_intent", "metadata": {"key": str(KEY)}} | about
    return json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "created": int(AT.timestamp()),
            "type": kind,
            "data": {"object": thing},
        }
    ).encode()


def signed(body: bytes, at: datetime = AT, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    stamp = int(at.timestamp())
    header = WebhookSignature.generate_signature_header(body.decode(), secret, stamp)
    return {signing.HEADER: header}


class TestDispute:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            *(("needs_response", "OPEN"), ("under_review", "OPEN")),
            *(("appeal_under_review", "OPEN"), ("won", "WON"), ("lost", "LOST")),
            *(("warning_needs_response", None), ("warning_closed", None), ("prevented", None)),
        ],
    )
    def test_is_one_only_if_money_was_taken(self, stripe_world, status, state):
        """A bank that inquires, and a dispute that was averted, leave the money where it is."""
        charge = stripe_world.gateway.charge(stripe_world.order()).reference
        reference = stripe_world.fake.dispute(charge, 4_900, status)

        claim = stripe_world.gateway.look_up_dispute(reference)

        assert (claim.state if claim else None) == state
        listed = stripe_world.gateway.disputes(AT - timedelta(days=9999))
        assert [one.reference for one in listed] == ([reference] if state else [])


class TestParseWebhook:
    @pytest.fixture
    def stripe(self) -> StripeGateway:
        return StripeGateway(SECRET_KEY, WEBHOOK_SECRET)

    def test_says_which_charge_it_is_about(self, stripe):
        body = event()

        assert stripe.parse_webhook(body, signed(body), at=AT) == Notice(
            *("evt_1", "payment_intent.succeeded", Subject.CHARGE, "pi_1", KEY, AT)
        )

    def test_says_the_same_when_it_comes_twice(self, stripe):
        body = event()

        first, second = (stripe.parse_webhook(body, signed(body), at=AT) for _ in range(2))
        assert first == second

    @pytest.mark.parametrize(
        ("about", "subject", "key"),
        [
            ({"object": "refund"}, Subject.REFUND, KEY),
            (
                {"object": "checkout.session", "metadata": {}, "client_reference_id": str(KEY)},
                *(Subject.SETUP, KEY),
            ),
            ({"object": "dispute", "metadata": {}}, Subject.DISPUTE, None),
            ({"object": "charge", "metadata": None}, Subject.OTHER, None),
            ({"object": "payment_intent", "metadata": {"key": "theirs"}}, Subject.CHARGE, None),
            ({"object": "of another time", "metadata": {"key": 7}}, Subject.OTHER, None),
        ],
        ids=["refund", "setup", "dispute", "charge", "not ours", "unknown"],
    )
    def test_says_what_it_is_about(self, stripe, about, subject, key):
        body = event("a.kind", **about)

        notice = stripe.parse_webhook(body, signed(body), at=AT)
        assert (notice.subject, notice.key) == (subject, key)

    @pytest.mark.parametrize(
        "headers",
        [{}, signed(event(), secret="whsec_guessed"), signed(event(id="pi_2"))],
        ids=["unsigned", "wrong secret", "of another body"],
    )
    def test_refuses_a_signature_that_is_not_stripes(self, stripe, headers):
        with pytest.raises(BadSignature):
            stripe.parse_webhook(event(), headers, at=AT)

    def test_refuses_one_that_is_replayed(self, stripe):
        body = event()

        with pytest.raises(BadSignature):
            stripe.parse_webhook(body, signed(body), at=AT + timedelta(minutes=6))

    @pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"no", b'{"id": 1}', b'{"data": []}'])
    def test_refuses_what_is_no_event(self, stripe, body):
        with pytest.raises(BadSignature):
            stripe.parse_webhook(body, signed(body), at=AT)

    def test_works_inside_a_transaction(self, stripe, db):
        """Nothing is asked: the bytes say it all."""
        body = event()
        assert stripe.parse_webhook(body, signed(body), at=AT).at == AT.astimezone(UTC)


class TestDecline:
    def test_is_hard_or_soft_and_never_both(self):
        assert HARD.keys() & SOFT.keys() == set()

    @pytest.mark.parametrize("code", [*HARD, *SOFT, "do_not_honor", "of next year"])
    def test_has_a_sentence_for_people(self, code):
        sentence = decline(code).sentence

        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) <= 100
        assert code not in sentence

    def test_does_not_tell_a_thief(self):
        words = {decline(code).sentence for code in ("lost_card", "stolen_card", "fraudulent")}

        assert len(words) == 1

    def test_of_an_unknown_code_can_be_tried_again(self):
        assert not decline("of next year").is_hard


class TestRefused:
    def test_is_not_hidden_behind_a_decline(self, world):
        """A request that Stripe does not take is our mistake, not the customer's."""
        method = world.add("visa")
        order = order_by(method)
        world.fake.faults.append(Fault(INTENTS, status=400))

        with pytest.raises(Refused):
            world.gateway.charge(order)

    def test_is_what_an_unknown_charge_gets(self, world):
        for ask in (world.gateway.cancel, lambda ref: world.gateway.authorization_url(ref, BACK)):
            with pytest.raises(Refused):
                ask(f"pi_{uuid4().hex}")
