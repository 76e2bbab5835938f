"""The adapter of Stripe Connect alone: a network that fails between two steps, and webhooks."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from django.db import connection

from billing.gateways import signing
from billing.gateways.base import BadSignature, CustomerRef, Refused, State, Unanswered
from payouts.gateways.stripe_connect import StripeBank
from tests.billing.gateways.fake_server import SECRET_KEY
from tests.billing.gateways.fake_stripe import Fault

from .conftest import AGAIN, AMOUNT, AT, BACK, OWNER, REF, WEBHOOK_SECRETS, StripeWorld

KEY = UUID("0192f000-0000-7000-8000-00000000000a")
TRANSFERS, PAYOUTS = "/v1/transfers", "/v1/payouts"
STEPS = [("GET", TRANSFERS), ("POST", TRANSFERS), ("GET", PAYOUTS), ("POST", PAYOUTS)]


@pytest.fixture
def world(stripe_world) -> StripeWorld:
    return stripe_world


def ask(world, order):
    """As whoever pursues it does: look it up, and send it if that tells nothing."""
    return world.gateway.look_up(order) or world.gateway.send(order)


class TestSteps:
    """Whichever request is lost, or answered by nobody: one transfer, and one payout."""

    @pytest.mark.parametrize(("verb", "path"), STEPS)
    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize("times", [1, 3])
    @pytest.mark.parametrize("forgets", [False, True], ids=["", "keys forgotten"])
    def test_happen_once(self, world, verb, path, moment, times, forgets):
        order = world.order("later")
        world.fake.faults.append(Fault(path, verb, times=times, **{moment: True}))
        with pytest.raises(Unanswered):
            ask(world, order)
        for _ in range(times):
            if forgets:
                world.fake.answers.clear()
            with suppress(Unanswered):
                ask(world, order)

        assert ask(world, order).state is State.PROCESSING
        world.arrive()

        assert ask(world, order).state is State.SUCCEEDED
        assert (world.arrived, world.gone) == ([AMOUNT.minor], AMOUNT.minor)
        assert len(world.fake.of("transfer")) == len(world.fake.of("payout")) == 1

    @pytest.mark.parametrize(("verb", "path"), STEPS)
    @pytest.mark.parametrize("status", [409, 429, 500, 503])
    def test_tell_no_outcome_in_trouble(self, world, verb, path, status):
        order = world.order("at_once")
        world.fake.faults.append(Fault(path, verb, status=status))

        with pytest.raises(Unanswered):
            ask(world, order)

        assert ask(world, order).state is State.SUCCEEDED
        assert world.arrived == [AMOUNT.minor]

    def test_happen_once_at_the_same_moment(self, world, django_db_blocker):
        orders = [world.order("at_once") for _ in range(3)]
        start = Barrier(4)

        def press() -> None:
            gateway = world.another()
            with django_db_blocker.unblock():
                for order in orders:
                    start.wait()
                    gateway.send(order)
                connection.close()
            gateway.close()

        threads = [Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert world.arrived == [AMOUNT.minor] * 3
        assert world.gone == 3 * AMOUNT.minor

    def test_wait_while_our_balance_does_not_suffice(self, world):
        order = world.order("at_once")
        world.fake.balances[""] = AMOUNT.minor - 1
        with pytest.raises(Unanswered):
            world.gateway.send(order)
        assert world.gateway.look_up(order) is None

        world.fake.balances[""] = AMOUNT.minor

        assert world.gateway.send(order).state is State.SUCCEEDED

    def test_wait_while_the_balance_of_the_account_does_not_suffice(self, world):
        order = world.order("at_once")
        account = order.account.partition(":")[0]
        world.fake.faults.append(Fault(PAYOUTS, "POST", before=True))
        with pytest.raises(Unanswered):
            world.gateway.send(order)
        world.fake.balances[account] = 0
        assert world.gateway.send(order).state is State.PROCESSING

        world.fake.balances[account] = AMOUNT.minor

        assert ask(world, order).state is State.SUCCEEDED
        assert world.arrived == [AMOUNT.minor]


class TestComingBack:
    def test_is_no_failure_before_the_money_is_with_us(self, world):
        order = world.order("closed")
        world.gateway.send(order)
        world.arrive()
        account = order.account.partition(":")[0]
        world.fake.balances[account] -= 1
        assert world.gateway.look_up(order).state is State.PROCESSING

        world.fake.balances[account] += 1

        assert world.gateway.look_up(order).state is State.FAILED
        assert world.gone == 0

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_happens_once_also_if_the_answer_is_lost(self, world, moment):
        order = world.order("closed")
        sent = world.gateway.send(order)
        world.arrive()
        path = f"/v1/transfers/{sent.reference}/reversals"
        world.fake.faults.append(Fault(path, "POST", **{moment: True}))
        with pytest.raises(Unanswered):
            world.gateway.look_up(order, sent.reference)

        outcome = world.gateway.look_up(order, sent.reference)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "account_closed")
        assert world.gone == 0
        assert len(world.fake.of("transfer_reversal")) == 1

    def test_follows_when_the_bank_account_was_removed_at_stripe(self, world):
        order = world.order("later")
        world.fake.unlink(order.account.partition(":")[2])

        outcome = world.gateway.send(order)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "account_gone")
        assert world.gone == 0

    def test_is_told_of_what_was_taken_back_by_hand(self, world):
        order = world.order("later")
        world.fake.faults.append(Fault(PAYOUTS, "POST", before=True))
        with pytest.raises(Unanswered):
            world.gateway.send(order)
        [transfer] = world.fake.of("transfer")
        world.fake.post_reversals({}, transfer["id"])

        outcome = world.gateway.look_up(order)

        assert (outcome.state, outcome.decline.code) == (State.FAILED, "taken_back")
        assert world.gateway.send(order) == outcome
        assert world.fake.of("payout") == []

    def test_may_follow_after_it_was_paid(self, world):
        order = world.order("at_once")
        assert world.gateway.send(order).state is State.SUCCEEDED
        [payout] = world.fake.of("payout")

        world.fake.bounce(payout["id"])

        assert world.gateway.look_up(order).state is State.FAILED
        assert world.gone == 0


class TestAccount:
    def test_is_opened_anew_where_the_page_has_grown_old(self, world):
        first = world.begin()

        again = world.gateway.begin_link(replace(REF, reference=first.reference), BACK, AGAIN)

        assert again.reference == first.reference
        assert again.url != first.url
        assert len(world.fake.of("account")) == 1

    def test_pays_out_only_when_we_say_so(self, world):
        world.link("later")

        [account] = world.fake.of("account")
        assert account["settings"] == {"payouts": {"schedule": {"interval": "manual"}}}
        assert account["controller"]["stripe_dashboard"] == {"type": "express"}

    def test_takes_nothing_while_stripe_checks_it(self, world):
        link = world.begin()
        world.fake.link(link.reference, "later", active=False)

        details = world.gateway.finish_link(link.reference)

        assert details is not None
        assert not details.is_ready
        order = replace(world.order(), account=details.reference)
        outcome = world.gateway.send(order)
        assert (outcome.state, outcome.decline.code) == (State.FAILED, "not_ready")
        assert world.gone == 0

    def test_tells_which_bank_took_the_place_of_another_and_pays_the_first_alone(self, world):
        order = world.order("later")
        account = order.account.partition(":")[0]
        world.fake.link(account, "closed")

        present = world.gateway.details(order.account)
        world.gateway.send(order)
        world.arrive()

        assert (present.bank, present.last4) == ("Old Mill Bank", "1113")
        assert present.reference != order.account
        assert world.arrived == [AMOUNT.minor]

    def test_is_nothing_without_a_bank(self, world):
        order = world.order("later")
        world.fake.unlink(order.account.partition(":")[2])

        assert world.gateway.details(order.account) is None

    def test_of_somebody_who_may_not_have_one_is_refused(self, world):
        world.fake.faults.append(Fault("/v1/accounts", "POST", status=400))

        with pytest.raises(Refused):
            world.gateway.begin_link(CustomerRef(OWNER, "N", "n@example.com"), BACK, AGAIN)


def event(kind: str = "payout.paid", **about) -> bytes:
    thing = {"id": "po_1", "object": "payout", "metadata": {"key": str(KEY)}} | about
    created = int(AT.timestamp())
    return json.dumps(
        {"id": "evt_1", "type": kind, "created": created, "data": {"object": thing}}
    ).encode()


def signed(body: bytes, secret: str) -> dict[str, str]:
    return {signing.HEADER: signing.sign(body, secret, AT)}


class TestParseWebhook:
    @pytest.fixture
    def stripe(self) -> StripeBank:
        return StripeBank(SECRET_KEY, WEBHOOK_SECRETS)

    @pytest.mark.parametrize("secret", WEBHOOK_SECRETS)
    def test_takes_what_either_endpoint_signs(self, stripe, secret):
        body = event()

        told = stripe.parse_webhook(body, signed(body, secret), at=AT)

        assert (told.event_id, told.type, told.key, told.at) == ("evt_1", "payout.paid", KEY, AT)

    @pytest.mark.parametrize(
        "about", [{"object": "transfer"}, {"object": "account"}, {"object": "payout"}], ids=str
    )
    def test_says_which_of_ours_it_is_about(self, stripe, about):
        body = event("a.kind", **about)

        assert stripe.parse_webhook(body, signed(body, WEBHOOK_SECRETS[0]), at=AT).key == KEY

    @pytest.mark.parametrize("minutes", [0, 6])
    def test_refuses_what_nobody_we_know_signed_just_now(self, stripe, minutes):
        body = event()
        secret = WEBHOOK_SECRETS[0] if minutes else "whsec_guessed"

        at = AT + timedelta(minutes=minutes)

        with pytest.raises(BadSignature):
            stripe.parse_webhook(body, signed(body, secret), at=at)

    def test_refuses_all_without_a_secret(self):
        body = event()

        with pytest.raises(BadSignature):
            StripeBank(SECRET_KEY, ()).parse_webhook(body, signed(body, ""), at=AT)
