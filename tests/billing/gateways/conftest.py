"""Two worlds in which the same things happen: the sandbox, and Stripe's adapter over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from billing.gateways.base import (
    ChargeOrder,
    ClaimState,
    CustomerRef,
    Gateway,
    MethodDetails,
    RefundOrder,
    State,
)
from billing.gateways.cards import BY_NAME
from billing.gateways.sandbox import Sandbox
from billing.gateways.stripe_api import StripeGateway
from billing.models.sandbox import (
    SETTLES_AFTER,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
)
from revampd.kit.money import Money

from .fake_server import SECRET_KEY, running
from .fake_stripe import FakeStripe, Fault

AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
BACK = "https://portal.example/back/"
WEBHOOK_SECRET = "whsec_of_the_tests"
PRICE = Money(4_900)
OWNER = UUID("0192f000-0000-7000-8000-000000000001")


class World:
    """A gateway, and what people and banks do behind it."""

    gateway: Gateway

    def add(self, name: str) -> MethodDetails:
        """A customer's card, added on the gateway's page."""
        setup = self.gateway.begin_setup(
            CustomerRef(OWNER, "Bluebird Clinic", "pay@bluebird.example"), BACK
        )
        self._type(setup.reference, BY_NAME[name].number)
        method = self.gateway.finish_setup(setup.reference)
        assert method is not None
        return method

    def order(self, name: str = "visa", amount: Money = PRICE) -> ChargeOrder:
        """An order to charge a card of that name, not sent yet."""
        method = self.add(name)
        self._prepare(name)
        return order_by(method, amount)

    def _type(self, setup: str, number: str) -> None:
        raise NotImplementedError

    def _prepare(self, name: str) -> None:
        """Let the network do what the card is for."""

    def confirm(self, reference: str, *, succeed: bool) -> None:
        raise NotImplementedError

    def settle(self, reference: str) -> None:
        """Some minutes pass, and what was processing comes to its end."""
        raise NotImplementedError

    def dispute(self, reference: str, minor: int) -> str:
        """The bank takes `minor` of a charge back."""
        raise NotImplementedError

    def decide(self, dispute: str, state: ClaimState) -> None:
        raise NotImplementedError

    @property
    def taken(self) -> list[int]:
        """The amounts of all charges that went through."""
        raise NotImplementedError

    @property
    def given_back(self) -> list[int]:
        raise NotImplementedError


class SandboxWorld(World):
    def __init__(self) -> None:
        self.gateway = self.sandbox = Sandbox(AT)

    def _type(self, setup: str, number: str) -> None:
        self.sandbox.complete_setup(setup, number=number, exp_month="4", exp_year="2029", cvc="123")

    def confirm(self, reference: str, *, succeed: bool) -> None:
        assert self.sandbox.authorize(reference, succeed=succeed) == BACK

    def settle(self, reference: str) -> None:
        self.sandbox.at += SETTLES_AFTER + timedelta(seconds=1)

    def dispute(self, reference: str, minor: int) -> str:
        charge = SandboxCharge.objects.get(pk=reference)
        return str(SandboxDispute.begin(charge, at=self.sandbox.at, minor=minor).reference)

    def decide(self, dispute: str, state: ClaimState) -> None:
        SandboxDispute.objects.get(pk=dispute).decide(state, at=self.sandbox.at)

    @property
    def taken(self) -> list[int]:
        succeeded = SandboxCharge.objects.filter(state=State.SUCCEEDED)
        return list(succeeded.values_list("amount", flat=True))

    @property
    def given_back(self) -> list[int]:
        return list(SandboxRefund.objects.values_list("amount", flat=True))


class StripeWorld(World):
    def __init__(self, fake: FakeStripe) -> None:
        self.fake = fake
        self.gateway = self.stripe = StripeGateway(
            SECRET_KEY, WEBHOOK_SECRET, api_base=fake.url, timeout=(5, 20)
        )

    def _type(self, setup: str, number: str) -> None:
        self.fake.complete(setup, number)

    def _prepare(self, name: str) -> None:
        if name in ("request_lost", "answer_lost"):
            before = name == "request_lost"
            self.fake.faults.append(Fault("/v1/payment_intents", before=before, after=not before))

    def confirm(self, reference: str, *, succeed: bool) -> None:
        self.fake.confirm(reference, succeed=succeed)

    def settle(self, reference: str) -> None:
        self.fake.settle(reference)

    def dispute(self, reference: str, minor: int) -> str:
        self.fake.clock = int(AT.timestamp())
        return self.fake.dispute(reference, minor)

    def decide(self, dispute: str, state: ClaimState) -> None:
        self.fake.decide(dispute, state.lower())

    @property
    def taken(self) -> list[int]:
        intents = self.fake.of("payment_intent")
        return [intent["amount"] for intent in intents if intent["status"] == "succeeded"]

    @property
    def given_back(self) -> list[int]:
        return [refund["amount"] for refund in self.fake.of("refund")]


@pytest.fixture
def sandbox_world(db: None) -> SandboxWorld:
    return SandboxWorld()


@pytest.fixture
def stripe_world(db: None) -> Iterator[StripeWorld]:
    fake = FakeStripe()
    with running(fake):
        world = StripeWorld(fake)
        yield world
        world.stripe.close()


@pytest.fixture(params=["sandbox", "stripe"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue(f"{request.param}_world")
    return world


def order_by(method: MethodDetails, amount: Money = PRICE) -> ChargeOrder:
    return ChargeOrder(uuid4(), amount, method.customer, method.reference, "Invoice 12")


def refund_of(charge: str, minor: int) -> RefundOrder:
    return RefundOrder(uuid4(), charge, Money(minor))
