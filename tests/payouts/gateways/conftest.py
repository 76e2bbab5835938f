"""Two worlds in which the same things happen: the sandbox, and Stripe's adapter over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from billing.gateways.base import CustomerRef, State
from payouts.gateways.accounts import ARRIVES_AFTER, RETURNS_AFTER
from payouts.gateways.base import Bank, BankDetails, Link, TransferOrder
from payouts.gateways.sandbox import Sandbox
from payouts.gateways.stripe_connect import StripeBank
from payouts.models import SandboxLink, SandboxTransfer
from revampd.kit.money import Money
from tests.billing.gateways.fake_server import SECRET_KEY, running
from tests.billing.gateways.fake_stripe import Fault

from .fake_connect import ROUTES, FakeConnect

AT = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
BACK, AGAIN = "https://portal.example/back/", "https://portal.example/again/"
WEBHOOK_SECRETS = ("whsec_of_ours", "whsec_of_connected_accounts")
AMOUNT = Money(70_00)
OWNER = UUID("0192f000-0000-7000-8000-000000000001")
REF = CustomerRef(OWNER, "Northwind Agency", "bills@northwind.example")


class World:
    """A gateway, and what people and banks do behind it."""

    gateway: Bank

    def begin(self) -> Link:
        return self.gateway.begin_link(REF, BACK, AGAIN)

    def link(self, name: str) -> BankDetails:
        """A Partner's bank account, linked on the gateway's page."""
        link = self.begin()
        self.choose(link, name)
        details = self.gateway.finish_link(link.reference)
        assert details is not None
        return details

    def order(self, name: str = "later", amount: Money = AMOUNT) -> TransferOrder:
        """An order to send money to the test account of that name, not sent yet."""
        details = self.link(name)
        self._prepare(name)
        return order_to(details, amount)

    def choose(self, link: Link, name: str) -> None:
        raise NotImplementedError

    def _prepare(self, name: str) -> None:
        """Let the network do what the account is for."""

    def arrive(self) -> None:
        """Some days pass, and what was on its way comes to its end."""
        raise NotImplementedError

    @property
    def arrived(self) -> list[int]:
        """The amounts that are at a bank."""
        raise NotImplementedError

    @property
    def gone(self) -> int:
        """What has left us: on its way, or arrived."""
        raise NotImplementedError


class SandboxWorld(World):
    def __init__(self) -> None:
        self.gateway = self.sandbox = Sandbox(AT)

    def choose(self, link: Link, name: str) -> None:
        SandboxLink.objects.get(pk=link.reference).complete(name)

    def arrive(self) -> None:
        self.sandbox.at += max(ARRIVES_AFTER, RETURNS_AFTER) + timedelta(seconds=1)

    @property
    def arrived(self) -> list[int]:
        return list(self._sent(State.SUCCEEDED))

    @property
    def gone(self) -> int:
        return sum(self._sent(State.SUCCEEDED, State.PROCESSING))

    def _sent(self, *states: State) -> list[int]:
        sent = SandboxTransfer.objects.filter(state__in=states)
        return list(sent.values_list("amount", flat=True))


class StripeWorld(World):
    def __init__(self, fake: FakeConnect) -> None:
        self.fake = fake
        self.before = fake.balances[""]
        self.gateway = self.stripe = self.another()

    def another(self, *, timeout: tuple[float, float] = (5, 20)) -> StripeBank:
        return StripeBank(SECRET_KEY, WEBHOOK_SECRETS, api_base=self.fake.url, timeout=timeout)

    def choose(self, link: Link, name: str) -> None:
        self.fake.link(link.reference, name)

    def _prepare(self, name: str) -> None:
        if name in ("request_lost", "answer_lost"):
            before = name == "request_lost"
            self.fake.faults.append(Fault("/v1/transfers", "POST", before=before, after=not before))

    def arrive(self) -> None:
        self.fake.arrive()

    @property
    def arrived(self) -> list[int]:
        return self.fake.arrived

    @property
    def gone(self) -> int:
        return self.before - self.fake.balances[""]


@pytest.fixture
def sandbox_world(db: None) -> SandboxWorld:
    return SandboxWorld()


@pytest.fixture
def stripe_world(db: None) -> Iterator[StripeWorld]:
    fake = FakeConnect()
    with running(fake, ROUTES):
        world = StripeWorld(fake)
        yield world
        world.stripe.close()


@pytest.fixture(params=["sandbox", "stripe"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue(f"{request.param}_world")
    return world


def order_to(details: BankDetails, amount: Money = AMOUNT) -> TransferOrder:
    return TransferOrder(uuid4(), amount, details.reference, "Revampd payout, week of 9 Nov 2026")
