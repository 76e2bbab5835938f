"""What stands on a statement, in the words that people read; sums of pages in minor units."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billing.documents import Organization

TEMPLATE = Path(__file__).parent / "statement.typ"


@dataclass(frozen=True, slots=True)
class Amount:
    """A line of the receipt."""

    name: str
    amount: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A request behind an earning, with its page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """One earning: `what` stands before the invoice, `day` after it."""

    sub_org: str
    what: str
    invoice: str
    url: str
    day: str
    approvals: tuple[Approval, ...]
    gross: str
    fee: str
    rate: str
    affiliate: str
    net: str


@dataclass(frozen=True, slots=True)
class StatementContent:
    """A statement, or one part of a long one.

    `sums` has gross, fee, affiliate and net, in minor units, of all that comes before the first
    row, and then of all up to each row. `symbol` and `digits` are how its currency is written.
    """

    title: str
    code: str
    status: str
    tone: str
    issued_at: datetime
    period: str
    closed: str
    as_of: str
    provider: Organization
    customer: Organization
    amount: str
    settlement: str
    receipt: tuple[Amount, ...]
    rest: Amount
    rows: tuple[Row, ...]
    sums: tuple[tuple[int, int, int, int], ...]
    is_last: bool
    symbol: str
    digits: int
    notes: str
