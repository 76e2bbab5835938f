"""Invoices to be, and the one way in which they are issued: one, or thousands in a batch.

An approval issues one invoice; the billing run issues a chunk of them. Both come through `issue`,
so that numbers, the wallet, the ledger and the events cannot differ between the two. Everything is
written by COPY under all the constraints of the tables.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection as database
from django.db.models import F

from billing import events
from billing.pricing import ItemKind, Period, first_in_first_out
from connections.kinds import Happening
from connections.models import Connection
from revampd.kit.copying import copy_rows
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.ids import growing_id
from revampd.kit.keys import among
from revampd.kit.money import Money

from .applications import CreditApplication
from .credits import Credit
from .invoices import Invoice
from .ledger import ACCOUNTS, Movement, Transfer
from .lines import InvoiceLine
from .series import InvoiceSeries

DUE_AFTER = timedelta(days=14)
# The PDFs of more than so many wait for the sweep.
FILED_AT_ONCE = 20

INVOICE = (
    *("id", "connection", "provider", "number", "state", "kind", "currency", "total"),
    *("credited", "paid", "held", "corrected", "attempts", "is_stuck", "collect_on"),
    *("period_start", "period_end", "issue_date", "due_date", "issued_at"),
    *("provider_details", "customer_details"),
)
LINE = (
    *("connection", "invoice", "request", "item", "position", "kind", "measure"),
    *("description", "quantity", "unit_price", "amount", "period_start", "period_end"),
)
APPLICATION = ("id", "connection", "credit", "invoice", "amount", "returned", "applied_at")
TRANSFER = ("connection", "kind", "debit", "credit", "amount", "document", "at")

# Ties usage to the line that bills it; nobody bills it again.
MARK_USAGE = """
    UPDATE billing_usagerecord used SET line_id = line.id
    FROM billing_invoiceline line
    WHERE line.invoice_id = ANY(%s::uuid[]) AND line.measure <> ''
        AND used.connection_id = line.connection_id AND used.line_id IS NULL
        AND used.used_on >= line.period_start AND used.used_on < line.period_end
        AND used.item_id = line.item_id AND used.measure = line.measure
"""


class DraftLine(NamedTuple):
    """A line to be (minor units): what it charges, for which days, and the request behind it."""

    kind: ItemKind
    description: str
    quantity: int
    unit_price: int
    amount: int
    request_id: UUID
    item_id: UUID | None = None
    period: Period | None = None
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """What an invoice takes from its connection: the parties, as they are on the day of issue."""

    connection_id: UUID
    provider_id: UUID
    currency: str
    provider_name: str
    customer_name: str
    provider_details: str
    customer_details: str

    @classmethod
    def of(cls, connection: Connection) -> "Payer":
        provider, customer = connection.provider, connection.customer
        return cls(
            connection.pk,
            provider.pk,
            connection.currency,
            provider.name,
            customer.name,
            json.dumps(provider.party_details),
            json.dumps(customer.party_details),
        )


@dataclass(slots=True)
class Draft:
    """An invoice to be, dated `on`, issued `at`. What `issue` decides is filled in by it."""

    payer: Payer
    lines: Sequence[DraftLine]
    on: date
    at: datetime
    period: Period | None = None
    id: UUID = field(default_factory=growing_id)
    number: int = 0
    uses: list[tuple[UUID, int]] = field(default_factory=list)  # credits and minor units
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = sum([line.amount for line in self.lines])

    @property
    def credited(self) -> int:
        return sum(amount for _, amount in self.uses)

    @property
    def is_owed(self) -> bool:
        """Whether the wallet leaves something to collect."""
        return self.total > self.credited

    @property
    def due_date(self) -> date:
        return self.on + DUE_AFTER

    @property
    def kind(self) -> Invoice.Kind:
        kinds = {line.kind for line in self.lines}
        if ItemKind.ONE_TIME in kinds:
            return Invoice.Kind.ONE_TIME if len(kinds) == 1 else Invoice.Kind.MIXED
        return Invoice.Kind.SUBSCRIPTION if ItemKind.PLAN in kinds else Invoice.Kind.ADD_ON


def issue(drafts: Sequence[Draft]) -> None:
    """Issue `drafts` in their order; the wallet of each connection pays first, oldest credit first.

    The caller holds the locks of all their connections. Raises ValueError for a draft without
    lines or with a total below zero.
    """
    if not drafts:
        return
    for draft in drafts:
        if not draft.lines or draft.total < 0:
            raise ValueError(f"no invoice can be made of {draft.lines}")
    take_credits(drafts)
    _take_numbers(drafts)
    copy_rows(Invoice, INVOICE, map(_invoice_row, drafts))
    _write_lines(drafts)
    _write_money(drafts)
    _record(drafts)
    if any(draft.is_owed for draft in drafts):
        ring_on_commit(events.COLLECT_TASK)
    if len(drafts) <= FILED_AT_ONCE:
        ring_on_commit(events.FILE_TASK)


def take_credits(drafts: Sequence[Draft]) -> None:
    """Lay the unspent credits of each connection against its invoices, first in first out."""
    wanted = {draft.payer.connection_id for draft in drafts}
    unspent = Credit.objects.unspent().filter(among("connection", wanted)).oldest_first()
    rows = unspent.values_list("connection", "id", F("amount") - F("applied"))
    lots: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for connection_id, credit_id, remaining in rows:
        lots[connection_id].append((credit_id, remaining))
    for draft in drafts:
        if own := lots.get(draft.payer.connection_id):
            draft.uses = first_in_first_out(own, draft.total)
            used = dict(draft.uses)
            left = [(key, remaining - used.get(key, 0)) for key, remaining in own]
            lots[draft.payer.connection_id] = [lot for lot in left if lot[1]]


def _take_numbers(drafts: Sequence[Draft]) -> None:
    """Number them by provider, without gaps. The series are locked in one order, and last."""
    counts = Counter(draft.payer.provider_id for draft in drafts)
    following = InvoiceSeries.take_each(counts)
    for draft in drafts:
        draft.number = following[draft.payer.provider_id]
        following[draft.payer.provider_id] += 1


def _invoice_row(draft: Draft) -> tuple[Any, ...]:
    payer, period, total = draft.payer, draft.period, draft.total
    # Credits that cover it turn it to paid as they are applied; nothing to pay is paid at once.
    state = Invoice.State.OPEN if total else Invoice.State.PAID
    return (
        *(draft.id, payer.connection_id, payer.provider_id, draft.number, state.value),
        *(draft.kind.value, payer.currency, total),
        *(0, 0, 0, 0, 0, False, draft.on if draft.is_owed else None),
        *((period.start, period.end) if period else (None, None)),
        *(draft.on, draft.due_date, draft.at, payer.provider_details, payer.customer_details),
    )


def _write_lines(drafts: Sequence[Draft]) -> None:
    """All lines in one statement: the trigger compares their sums with the totals after it."""
    copy_rows(InvoiceLine, LINE, chain.from_iterable(map(_line_rows, drafts)))
    if used := [draft.id for draft in drafts if any(line.measure for line in draft.lines)]:
        with database.cursor() as cursor:
            cursor.execute(MARK_USAGE, [used])


def _line_rows(draft: Draft) -> Iterator[tuple[Any, ...]]:
    for position, line in enumerate(draft.lines, start=1):
        period = line.period
        yield (
            *(draft.payer.connection_id, draft.id, line.request_id, line.item_id, position),
            *(line.kind.value, line.measure, line.description, line.quantity, line.unit_price),
            *(line.amount, period.start if period else None, period.end if period else None),
        )


def _write_money(drafts: Sequence[Draft]) -> None:
    """The use of credits, and every movement in the ledger."""
    uses = [
        (growing_id(), draft, credit, amount) for draft in drafts for credit, amount in draft.uses
    ]
    copy_rows(
        CreditApplication,
        APPLICATION,
        (
            (key, draft.payer.connection_id, credit, draft.id, amount, 0, draft.at)
            for key, draft, credit, amount in uses
        ),
    )
    invoiced = ((Movement.INVOICED, draft, draft.total, draft.id) for draft in drafts)
    applied = ((Movement.APPLIED, draft, amount, key) for key, draft, _, amount in uses)
    copy_rows(
        Transfer,
        TRANSFER,
        (
            (draft.payer.connection_id, kind, *ACCOUNTS[kind], amount, document, draft.at)
            for moved in (invoiced, applied)
            for kind, draft, amount, document in moved
            if amount
        ),
    )


def _record(drafts: Iterable[Draft]) -> None:
    happenings = [
        Happening(
            subject_id=draft.id,
            organization_id=draft.payer.provider_id,
            connection_id=draft.payer.connection_id,
            at=draft.at,
            facts=_facts(draft),
        )
        for draft in drafts
    ]
    events.invoice_issued.record_each(Invoice, happenings)


def _facts(draft: Draft) -> dict[str, Any]:
    payer, total, credited = draft.payer, draft.total, draft.credited
    return {
        "number": draft.number,
        "code": Invoice.code_of(draft.number),
        "amount": Money(total, payer.currency),
        "credited": Money(credited, payer.currency),
        "payable": Money(total - credited, payer.currency),
        "due": draft.due_date,
        "provider": payer.provider_name,
        "customer": payer.customer_name,
    }
