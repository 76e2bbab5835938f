"""The port for paying out: what this product asks of a gateway that sends money to banks.

It stands beside the port for payments (`billing.gateways.base`) and keeps its three rules: asked
outside of any transaction; no answer is no outcome; a key belongs to one order for life. Account
numbers are typed on the gateway's page and never reach this product.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from billing.gateways.base import CustomerRef, Notice, Outcome
from revampd.kit.money import Money

# What we tell it


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """Send `amount` to a linked account. `key` is the transfer's id, and the idempotency key."""

    key: UUID
    amount: Money
    account: str
    description: str


# What it tells us


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the gateway on which an account is linked. `url` may be a path of ours."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class BankDetails:
    """A linked account: the gateway's reference and what people recognize it by.

    `owner` is the key of whoever the link was begun for: check it before keeping this. One that is
    not `is_ready` takes no money yet: the gateway still checks who it belongs to, or waits for more
    details.
    """

    reference: str
    owner: UUID
    bank: str
    last4: str
    is_ready: bool = True


class Bank(Protocol):
    """A gateway that pays out. Every method may raise Unanswered, NotSetUp or Refused."""

    name: str

    def begin_link(self, owner: CustomerRef, return_url: str, again_url: str = "", /) -> Link:
        """Open the gateway's page for linking an account; it leads back to `return_url`.

        Where the page has grown old, it leads to `again_url`, to be opened anew. The `reference` of
        the owner is that of the link that was begun before; empty begins another.
        """

    def finish_link(self, reference: str, /) -> BankDetails | None:
        """The account that was linked. None while they are not done, or gave up."""

    def details(self, account: str, /) -> BankDetails | None:
        """What stands now where a linked account stood: itself, or another that took its place.

        People can change it at the gateway, without us. None if nothing is linked any more.
        """

    def send(self, order: TransferOrder, /) -> Outcome:
        """Send the money, once a key: sent again, it tells what became of the first time.

        Raises KeyReused if the key was used for another order.
        """

    def look_up(self, order: TransferOrder, reference: str = "", /) -> Outcome | None:
        """What has become of a transfer. One that came back is with us again when this says so.

        A bank can send back what had arrived, within days; a webhook tells of it.

        None: the gateway has never heard of it, or only of its beginning; sending it goes on.
        """

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        """What a webhook says, taken from its raw bytes. Raises BadSignature.

        Its key is that of a transfer, or of the owner of an account.
        """
