"""What Stripe tells of transfers and accounts: let in once, asked about, booked once."""

import json
from datetime import timedelta
from itertools import permutations

import pytest
from django.test import Client
from django.utils import timezone

from billing.gateways import signing
from billing.models import GatewayEvent
from connections.models import Event
from notifications.draining import drain_events
from notifications.models import Notification
from payouts import postman
from payouts.gateways.accounts import ARRIVES_AFTER, RETURNS_AFTER
from payouts.gateways.stripe_connect import connected
from payouts.linking import StillChecked, begin_link, finish_link
from payouts.models import BankAccount, BankTransfer, Payout
from payouts.sending import send_transfers
from payouts.webhooks import INBOX
from tests.billing.gateways.fake_server import SECRET_KEY, running
from tests.billing.payments.acts import fresh
from tests.books import assert_books_agree

from .acts import link_bank, paid_out
from .gateways.conftest import AGAIN, BACK, WEBHOOK_SECRETS, StripeWorld
from .gateways.fake_connect import ROUTES, FakeConnect

URL = "/webhooks/payouts/stripe/"
State = BankTransfer.State


def tell(about: dict, kind: str, number: int = 1, *, url: str = URL, secret=WEBHOOK_SECRETS[1]):
    """Post an event of Stripe's from outside, as a browser without a session would."""
    now = timezone.now()
    event = {
        "id": f"evt_{number}",
        "type": kind,
        "created": int(now.timestamp()),
        "data": {"object": about},
    }
    body = json.dumps(event).encode()
    header = signing.sign(body, secret, now)
    client = Client(enforce_csrf_checks=True)
    return client.post(
        url, body, content_type="application/json", headers={"Stripe-Signature": header}
    )


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def payout(cast, now) -> Payout:
    """Made while the cards were the sandbox's."""
    return paid_out(cast, at=now - timedelta(days=9))


@pytest.fixture
def world(payout, settings):
    """From here on, the site is one of Stripe's."""
    fake = FakeConnect()
    with running(fake, ROUTES):
        settings.STRIPE_SECRET_KEY = SECRET_KEY
        settings.STRIPE_API_BASE = fake.url
        settings.STRIPE_PAYOUT_WEBHOOK_SECRETS = [*WEBHOOK_SECRETS]
        yield StripeWorld(fake)
        connected().close()


def link(cast, world, name: str, now) -> BankAccount:
    connection, maya = cast.revampd_northwind, cast.maya
    page = begin_link(connection, BACK, AGAIN, by=maya, at=now)
    world.choose(page, name)
    account = finish_link(connection, page.reference, by=maya, at=now)
    assert account is not None
    return account


@pytest.fixture
def sent(cast, payout, world, now):
    """A transfer that is on its way, and what Stripe has of it."""

    def send(name: str):
        link(cast, world, name, now)
        payout.settle(credit=30_00, transfer=70_00, by=cast.noah, at=now)
        send_transfers(at=now)
        assert BankTransfer.objects.get().state == State.PROCESSING
        return world.fake.of("transfer")[0], world.fake.of("payout")[0]

    return send


class TestReceive:
    def test_stores_what_is_signed_once_and_answers_at_once(self, sent):
        _, payout = sent("later")

        for _ in range(3):
            assert tell(payout, "payout.paid").status_code == 200

        event = GatewayEvent.objects.get()
        assert (event.inbox, event.kind) == (INBOX.task, "payout.paid")
        assert event.key == BankTransfer.objects.get().pk

    def test_refuses_what_the_endpoint_of_cards_would_take(self, sent, settings):
        settings.STRIPE_WEBHOOK_SECRET = "whsec_of_cards"
        _, payout = sent("later")

        assert tell(payout, "payout.paid", secret="whsec_of_cards").status_code == 400
        assert tell(payout, "payout.paid", url="/webhooks/stripe/").status_code == 400
        assert tell(payout, "payout.paid", url="/webhooks/payouts/sandbox/").status_code == 404
        assert not GatewayEvent.objects.exists()


class TestTransfer:
    def test_is_paid_when_stripe_says_so(self, cast, sent, world, payout, now):
        _, about = sent("later")
        world.arrive()
        tell(about, "payout.paid")

        assert [INBOX.work_off(at=now), INBOX.work_off(at=now)] == [1, 0]

        assert BankTransfer.objects.get().state == State.SUCCEEDED
        assert fresh(payout).state == Payout.State.SETTLED
        assert_books_agree()

    def test_is_available_again_when_it_came_back(self, sent, world, payout, now):
        _, about = sent("closed")
        world.arrive()
        tell(about, "payout.failed")

        INBOX.work_off(at=now)

        assert BankTransfer.objects.get().failure == "The bank account is closed."
        assert (fresh(payout).state, fresh(payout).left) == (Payout.State.AVAILABLE, 70_00)
        assert world.gone == 0
        assert_books_agree()

    def test_is_not_booked_by_what_a_webhook_says(self, sent, now):
        _, about = sent("later")
        tell(about | {"status": "failed"}, "payout.failed")

        INBOX.work_off(at=now)

        assert BankTransfer.objects.get().state == State.PROCESSING

    @pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
    def test_is_booked_once_in_whichever_order_they_come(self, sent, world, order, now):
        transfer, about = sent("later")
        world.arrive()
        events = [("transfer.created", transfer), ("payout.paid", about), ("payout.paid", about)]
        for number in order:
            kind, thing = events[number]
            tell(thing, kind, number)

        assert INBOX.work_off(at=now) == 3

        assert Event.objects.filter(code="bank_transfer.paid").count() == 1
        assert_books_agree()

    @pytest.fixture
    def returned(self, sent, world, now):
        """A transfer that was paid, and that the bank has sent back since; nobody has told yet."""
        transfer, about = sent("later")
        world.arrive()
        tell(about, "payout.paid", 1)
        INBOX.work_off(at=now)
        assert BankTransfer.objects.get().state == State.SUCCEEDED
        world.fake.bounce(about["id"])
        return transfer, about

    @pytest.mark.parametrize("times", [1, 3])
    def test_that_comes_back_after_it_was_paid_is_available_again(
        self, returned, world, payout, now, times
    ):
        transfer, about = returned
        for number in range(times):
            tell(about, "payout.failed", 2 + number)
        tell(transfer, "transfer.reversed", 9)

        assert INBOX.work_off(at=now) == times + 1

        sent = BankTransfer.objects.get()
        assert (sent.state, sent.returned_at) == (State.FAILED, now)
        assert sent.failure == "The bank account is closed."
        assert (fresh(payout).state, fresh(payout).left) == (Payout.State.AVAILABLE, 70_00)
        assert world.gone == 0
        assert Event.objects.filter(code="bank_transfer.returned").count() == 1
        assert not Event.objects.filter(code="gateway.contradicted").exists()
        assert_books_agree()

    def test_is_paid_until_what_comes_back_is_with_us(self, returned, world, payout, now):
        transfer, about = returned
        account = transfer["destination"]
        world.fake.balances[account] -= 1
        tell(about, "payout.failed", 2)

        assert INBOX.work_off(at=now) == 0

        assert BankTransfer.objects.get().state == State.SUCCEEDED
        assert fresh(payout).left == 0
        world.fake.balances[account] += 1
        assert INBOX.work_off(at=now + timedelta(hours=2)) == 1
        assert fresh(payout).left == 70_00
        assert_books_agree()


class TestAccount:
    def test_is_kept_only_once_stripe_lets_it_be_paid(self, cast, world, now):
        connection, maya = cast.revampd_northwind, cast.maya
        page = begin_link(connection, BACK, AGAIN, by=maya, at=now)
        world.fake.link(page.reference, "later", active=False)

        with pytest.raises(StillChecked):
            finish_link(connection, page.reference, by=maya, at=now)
        assert not BankAccount.objects.exists()
        world.fake.link(page.reference, "later")

        assert finish_link(connection, page.reference, by=maya, at=now) is not None

    def account(self, world) -> dict:
        return world.fake.of("account")[0]

    def test_changed_at_stripe_is_held_and_told_to_the_owners(self, cast, world, now):
        before = link(cast, world, "later", now)
        world.fake.link(self.account(world)["id"], "closed")
        for number in range(2):
            tell(self.account(world), "account.updated", number)

        INBOX.work_off(at=now)

        present = BankAccount.objects.linked().get()
        assert (present.bank, present.last4) == ("Old Mill Bank", "1113")
        assert present.is_held(now + timedelta(days=2))
        assert fresh(before).removed_at == now
        drain_events()
        told = Notification.objects.filter(event__code="bank_account.replaced")
        assert [notification.recipient for notification in told] == [cast.maya]

    def test_that_says_nothing_new_stays(self, cast, world, now):
        account = link(cast, world, "later", now)
        tell(self.account(world), "account.updated")

        INBOX.work_off(at=now)

        assert BankAccount.objects.get() == account
        assert BankAccount.objects.linked().exists()

    def test_of_nobody_we_know_is_noted(self, cast, world, now):
        tell({"object": "account", "id": "acct_1", "metadata": {}}, "account.updated")

        INBOX.work_off(at=now)

        assert GatewayEvent.objects.get().note == "Not about a transfer or bank account of ours."


class TestPostman:
    """The sandbox tells as well, so that a demo need not wait for an hour."""

    def test_tells_of_what_has_arrived_until_it_was_asked_about(self, cast, payout, now):
        link_bank(cast, "later", at=now)
        payout.settle(credit=30_00, transfer=70_00, by=cast.noah, at=now)
        send_transfers(at=now)
        assert postman.deliver(at=now) == 0
        later = now + ARRIVES_AFTER

        assert [postman.deliver(at=later), postman.deliver(at=later)] == [1, 1]
        assert [INBOX.work_off(at=later), INBOX.work_off(at=later)] == [1, 0]

        assert postman.deliver(at=later) == 0
        assert BankTransfer.objects.get().state == State.SUCCEEDED

    def test_tells_of_what_came_back(self, cast, payout, now):
        link_bank(cast, "returned", at=now)
        payout.settle(credit=30_00, transfer=70_00, by=cast.noah, at=now)
        send_transfers(at=now)

        for later in (now + ARRIVES_AFTER, now + ARRIVES_AFTER + RETURNS_AFTER):
            assert postman.deliver(at=later) == 1
            assert INBOX.work_off(at=later) == 1
            assert postman.deliver(at=later) == 0

        assert BankTransfer.objects.get().returned_at == later
        assert fresh(payout).left == 70_00
        assert_books_agree()
