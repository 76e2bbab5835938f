"""The port: what this product asks of a payment gateway, and the values that travel.

Three rules hold for every gateway:

- It is asked outside of any transaction: what it did cannot be rolled back.
- No answer is no outcome. `Unanswered` leaves the attempt open, to be looked up or repeated.
- A key is an order's for life. The same order may be sent as often as one likes and happens once.

What became of an order is what the gateway's own object says when it is looked up. A webhook only
says that there is something to look up, so that it does not matter how often or in which order
webhooks come. Card numbers are typed on the gateway's page and never reach this product.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from django.db import transaction

from revampd.kit.errors import DomainError
from revampd.kit.money import Money


class State(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PROCESSING = "PROCESSING"  # under way: a webhook will tell, or a later look
    ACTION = "ACTION"  # the customer has to confirm it on the gateway's page


class ClaimState(StrEnum):
    OPEN = "OPEN"  # the bank has the money until it decides
    WON = "WON"  # it gave the money back
    LOST = "LOST"  # it keeps the money


class Subject(StrEnum):
    """What a webhook is about."""

    CHARGE = "CHARGE"
    REFUND = "REFUND"
    SETUP = "SETUP"
    DISPUTE = "DISPUTE"
    OTHER = "OTHER"


# What we tell it


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """Who pays: `key` is ours, `reference` the gateway's, empty for one that it has not met."""

    key: UUID
    name: str
    email: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ChargeOrder:
    """Take `amount` by a stored method. `key` is the payment's id, and the idempotency key."""

    key: UUID
    amount: Money
    customer: str
    method: str
    description: str


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give `amount` of a succeeded charge back to the method that it came from."""

    key: UUID
    charge: str
    amount: Money


# What it tells us


@dataclass(frozen=True, slots=True)
class Setup:
    """A page of the gateway on which the customer adds a method. `url` may be a path of ours."""

    reference: str
    url: str
    customer: str


@dataclass(frozen=True, slots=True)
class MethodDetails:
    """A stored card: the gateway's references and what people recognize it by.

    `owner` is the key of the customer for whom the setup was begun: check it before keeping this.
    """

    reference: str
    customer: str
    owner: UUID
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class Decline:
    """Why it failed. A hard one fails every time: there is no use in trying this method again."""

    code: str
    sentence: str
    is_hard: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. `reference` is empty if the gateway refused it without a record."""

    state: State
    reference: str
    decline: Decline | None = None

    @property
    def is_final(self) -> bool:
        return self.state in (State.SUCCEEDED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Claim:
    """A dispute: what a bank took back of a charge. `key` is the charge's, None if it is not ours.

    `reason` is the gateway's word for it; evidence is taken until `respond_by`.
    """

    reference: str
    key: UUID | None
    amount: Money
    state: ClaimState
    reason: str
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A verified webhook about `reference`, of something that happened `at` that moment.

    `key` is that of our order, of a setup that of its customer; None for what is not ours, and for
    a dispute, which nobody here has ordered.
    """

    event_id: str
    type: str
    subject: Subject
    reference: str
    key: UUID | None
    at: datetime


# What it refuses


class GatewayError(DomainError):
    """The gateway did not do what it was asked."""

    status = HTTPStatus.BAD_GATEWAY


class Unanswered(GatewayError):
    """No answer, or none that says what happened: the outcome is unknown, never failed."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, sentence: str = "The payment service does not answer right now.") -> None:
        super().__init__(sentence, next_step="Try again in a few minutes.")


class KeyReused(GatewayError):
    """Another order was sent under the same key before. Nothing was done with this one.

    What came of the other is unknown here, so this is no failure of the attempt: look it up.
    """


class Refused(GatewayError):
    """The gateway takes no such request: a mistake of ours or of the settings. Nothing was done."""


class Disputed(GatewayError):
    """The charge is disputed, so nothing of it is refunded. Nothing was done."""


class NotSetUp(GatewayError):
    """This site has no gateway."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class BadSignature(Exception):
    """A webhook that the gateway did not send, or not just now."""


class Gateway(Protocol):
    """A payment gateway. Every method may raise Unanswered, NotSetUp or Refused."""

    name: str

    def begin_setup(self, customer: CustomerRef, return_url: str, /) -> Setup:
        """Open the gateway's page for adding a method; it leads back to `return_url`.

        Keep `customer` of the answer with the customer, so that the next setup is the same one's.
        """

    def finish_setup(self, reference: str, /) -> MethodDetails | None:
        """The method that was added. None while the customer is not done, or gave up."""

    def detach(self, method: str, /) -> None:
        """Forget a stored method. One that is gone already is fine."""

    def charge(self, order: ChargeOrder, /) -> Outcome:
        """Take the money, once a key: sent again, it tells what became of the first time.

        Raises KeyReused if the key was used for another order.
        """

    def look_up(self, order: ChargeOrder, reference: str = "", /) -> Outcome | None:
        """What has become of a charge; faster with the gateway's `reference`, if that is known.

        None: the gateway has never heard of it, and it may be sent with the same key.
        """

    def authorization_url(self, reference: str, return_url: str, /) -> str:
        """The page on which the customer confirms a charge that needs action.

        It is `return_url` itself if there is nothing left to confirm. Look the charge up there.
        """

    def cancel(self, reference: str, /) -> Outcome:
        """Give up a charge that needs action, so that another may be tried in its place.

        It answers what the charge is now: one that went through meanwhile has succeeded.
        """

    def refund(self, order: RefundOrder, /) -> Outcome:
        """Give money back, once a key; as `charge`. Raises Disputed of a charge that is."""

    def look_up_refund(self, order: RefundOrder, reference: str = "", /) -> Outcome | None:
        """What has become of a refund; as `look_up`."""

    def look_up_dispute(self, reference: str, /) -> Claim | None:
        """How a dispute stands. None if no money was taken: a bank that merely inquires."""

    def disputes(self, since: datetime, /) -> Iterable[Claim]:
        """All that began since then and for which money was taken, in any order."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        """What a webhook says, taken from its raw bytes. Raises BadSignature."""


def outside_transactions() -> None:
    """Refuse to go on inside a transaction. Raises RuntimeError.

    The transaction that a test case wraps around everything does not count.
    """
    if not _is_rehearsal.get():
        with transaction.atomic(durable=True):
            pass


@contextmanager
def in_one_transaction() -> Iterator[None]:
    """Let the sandbox be asked inside a transaction, whose books are then rolled back along.

    For what is there as a whole or not at all: the seed of a demo, and months that tests play.
    """
    token = _is_rehearsal.set(True)
    try:
        yield
    finally:
        _is_rehearsal.reset(token)


_is_rehearsal: ContextVar[bool] = ContextVar("is_rehearsal", default=False)
