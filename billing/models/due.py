"""What connections owe by a day: read by the chunk, priced by pure functions, issued at once.

An approval bills one connection through here, the billing run a thousand at a time, with the same
few statements.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection as database
from django.db.models import F, QuerySet, Sum, TextField
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from billing.pricing import (
    Agreed,
    Charge,
    Item,
    Measure,
    Period,
    Running,
    Usage,
    unexplained,
)
from connections.models import Connection, Organization
from revampd.kit.keys import among, array_of
from revampd.kit.prepared import prepared

from .drafts import Draft, DraftLine, Payer, issue, take_credits
from .items import SubscriptionItem, coming
from .subscriptions import Subscription
from .tiers import hold_back, without_outgrown
from .usage import UsageRecord

# What the terms say of prices, as text: the rest of them need not travel.
SEALED = Cast(
    JSONObject(**{name: F(f"request__terms__{name}") for name in Agreed.SEALED}), TextField()
)


@dataclass(slots=True)
class Account:
    """One connection with everything that can come onto its invoices by the day `until`.

    `now` is the instant of issue on the connection's own clock.
    """

    payer: Payer
    now: datetime
    until: date
    has_tier: bool = False
    subscription_id: UUID | None = None
    running: Running = field(default_factory=Running)
    agreed: dict[UUID, Agreed] = field(default_factory=dict)  # what each request allows
    charges: list[tuple[date, DraftLine]] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    # What billing it comes to. `usage` stays as it was read.
    drafts: list[Draft] = field(default_factory=list)
    ended_on: date | None = None
    unexplained: str = ""

    def bill(self) -> None:
        """Draft every invoice until its day, one a period; stop at what nobody approved."""
        usage: Sequence[Usage] = self.usage
        while (day := self.running.next_invoice) and day <= self.until:
            charges, billed = self.running.bill(usage)
            self.unexplained = self._unexplained(charges)
            if self.unexplained:
                return
            lines = [self._line(charge) for charge in charges] + self._charges_until(day)
            if lines:
                period = Period(day, billed.next_invoice or day)
                self.drafts.append(Draft(self.payer, lines, on=day, at=self.now, period=period))
            usage = [used for used in usage if used.day >= day]
            self.ended_on = None if billed.next_invoice else day
            self.running = billed
        if lines := self._charges_until(self.until):
            self.drafts.append(Draft(self.payer, lines, on=self.until, at=self.now))

    def _unexplained(self, charges: Iterable[Charge]) -> str:
        found = (unexplained(charge, self.agreed[charge.item.authority]) for charge in charges)
        return next(filter(None, found), "")

    def _charges_until(self, day: date) -> list[DraftLine]:
        """The one-time charges that have come due, each once."""
        due = [line for starts_on, line in self.charges if starts_on <= day]
        self.charges = [charge for charge in self.charges if charge[0] > day]
        return due

    def _line(self, charge: Charge) -> DraftLine:
        return DraftLine(
            kind=charge.item.kind,
            description=charge.text,
            quantity=charge.quantity,
            unit_price=charge.unit_price.minor,
            amount=charge.amount.minor,
            request_id=charge.item.authority,
            item_id=charge.item.key,
            period=charge.period,
            measure=charge.measure or "",
        )


def bill(connection_ids: Sequence[UUID], *, at: datetime, on: date | None = None) -> list[Account]:
    """Issue what these connections owe by the day `on`, or by their own day at real time `at`.

    The caller holds their locks. Returns them all, with the drafts that were issued.
    """
    accounts = _read(connection_ids, at, on)
    for account in accounts:
        account.bill()
    issue([draft for account in accounts for draft in account.drafts])
    _advance([account for account in accounts if account.subscription_id])
    return accounts


def upcoming(connection: Connection, today: date) -> Account | None:
    """What the run will issue next on `connection`, as it stands `today`: its first draft.

    Nothing is written. None if nothing is to come; no draft, but `unexplained`, if it is stopped.
    """
    account = before_credits(connection, today, coming(connection.pk))
    if account:
        take_credits(account.drafts)
    return account


def before_credits(
    connection: Connection, today: date, rows: Iterable[SubscriptionItem]
) -> Account | None:
    """`upcoming` without the wallet, for a page that has read the items that are `coming`."""
    account = Account(Payer.of(connection), timezone.now(), date.max)
    rows = list(rows)
    _take_items(account, rows)
    if connection.sells_tiers:
        account.running = without_outgrown(connection, account.running, rows)
    accounts = {connection.pk: account}
    # What costs nothing cannot have been counted.
    if any(item.booking_fee or item.transfer_fee for item in account.running.items):
        _read_usage(accounts)
    _read_charges(accounts)
    days = [account.running.next_invoice, *(day for day, _ in account.charges)]
    if not any(days):
        return None
    account.until = max(today, min(day for day in days if day))
    account.bill()
    del account.drafts[1:]
    return account


def _take_items(account: Account, rows: Iterable[SubscriptionItem]) -> None:
    for row in rows:
        account.subscription_id = row.subscription_id
        items = (*account.running.items, row.as_item())
        account.running = Running(items, row.subscription.next_invoice_date)
        account.agreed[row.request_id] = Agreed.sealed(row.request.terms)


# Reading: one query a table, rows as plain values


def _read(connection_ids: Sequence[UUID], at: datetime, on: date | None) -> list[Account]:
    accounts = _accounts(connection_ids, at, on)
    partners = {key: account for key, account in accounts.items() if account.has_tier}
    if partners:
        hold_back(
            {key: account.until for key, account in partners.items()},
            {key: account.now for key, account in partners.items()},
        )
    _read_parts(accounts)
    return list(accounts.values())


def _read_parts(accounts: dict[UUID, Account]) -> None:
    """Everything that can come onto their invoices."""
    _read_subscriptions(accounts)
    _read_items(accounts)
    _read_usage(accounts)
    _read_charges(accounts)


def _accounts(connection_ids: Sequence[UUID], at: datetime, on: date | None) -> dict[UUID, Account]:
    rows = Connection.objects.filter(among("pk", connection_ids)).order_by("pk")
    customer = [f"customer__{field}" for field in Organization.PARTY_FIELDS]
    columns = ("pk", "provider", "customer_kind", "currency", "ahead", "customer__name")
    values = list(rows.values_list(*columns, *customer))
    providers = Organization.objects.in_bulk({provider for _, provider, *_ in values})
    details = {key: json.dumps(provider.party_details) for key, provider in providers.items()}
    accounts = {}
    for key, seller, kind, currency, ahead, name, *party in values:
        provider, now = providers[seller], at + ahead
        own = json.dumps(Organization.party(*party))
        payer = Payer(key, seller, currency, provider.name, name, details[seller], own)
        until = on or now.astimezone(provider.zone).date()
        has_tier = kind == Organization.Kind.PARTNER
        accounts[key] = Account(payer, now, until, has_tier=has_tier)
    return accounts


def _read_subscriptions(accounts: dict[UUID, Account]) -> None:
    rows = Subscription.objects.live().filter(among("connection", accounts))
    for connection_id, key, day in rows.values_list("connection", "pk", "next_invoice_date"):
        account = accounts[connection_id]
        account.subscription_id, account.running = key, Running((), day)


def _read_items(accounts: dict[UUID, Account]) -> None:
    """What runs, at its prices, with what was approved of it."""
    live = [a.subscription_id for a in accounts.values() if a.subscription_id]
    rows = SubscriptionItem.objects.unsettled().filter(among("subscription", live))
    columns = ("connection", SEALED, *SubscriptionItem.PRICED)
    items: dict[UUID, list[Item]] = defaultdict(list)
    for connection_id, sealed, *priced in rows.in_order().values_list(*columns):
        account = accounts[connection_id]
        item = SubscriptionItem.item_of(account.payer.currency, *priced)
        items[connection_id].append(item)
        account.agreed[item.authority] = _agreed(sealed)
    for connection_id, own in items.items():
        account = accounts[connection_id]
        account.running = Running(tuple(own), account.running.next_invoice)


# The same few prices come back for every customer.
@lru_cache(maxsize=4096)
def _agreed(sealed: str) -> Agreed:
    return Agreed.sealed(json.loads(sealed))


def _read_usage(accounts: dict[UUID, Account]) -> None:
    rows = UsageRecord.objects.filter(among("connection", accounts), line=None)
    days = rows.values_list("connection", "item", "measure", "used_on")
    counted = days.annotate(count=Sum("quantity")).order_by("used_on", "measure", "item")
    for connection_id, item, measure, day, count in counted:
        accounts[connection_id].usage.append(Usage(Measure(measure), day, count, item))


def _read_charges(accounts: dict[UUID, Account]) -> None:
    latest = max((account.until for account in accounts.values()), default=None)
    if latest is None:
        return
    for request in _unbilled_charges(array_of(accounts), latest):
        due = (request.starts_on or latest, request.charge_line())
        accounts[request.connection_id].charges.append(due)


@prepared
def _unbilled_charges(connections: Any, latest: Any) -> QuerySet[Any]:
    # Requests import this module to take effect, so it finds their table by name.
    requests = apps.get_model("billing.BillingRequest").objects
    rows: QuerySet[Any] = requests.unbilled_charges(latest).filter(among("connection", connections))
    return rows.order_by("starts_on", "id")


# Moving on


def _advance(accounts: Iterable[Account]) -> None:
    """Write how far items are billed, and the day of the next invoice."""
    billed = [(i.key, i.billed_to) for a in accounts for i in a.running.items]
    moved = [(a.subscription_id, a.running.next_invoice, a.ended_on) for a in accounts]
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE billing_subscriptionitem item SET billed_to = billed.day
            FROM unnest(%s::uuid[], %s::date[]) AS billed (id, day)
            WHERE item.id = billed.id AND item.billed_to <> billed.day
            """,
            [array_of(column) for column in zip(*billed, strict=True)] or ["{}", "{}"],
        )
        cursor.execute(
            """
            UPDATE billing_subscription subscription
            SET next_invoice_date = moved.day, end_date = moved.ended
            FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS moved (id, day, ended)
            WHERE subscription.id = moved.id
                AND subscription.next_invoice_date IS DISTINCT FROM moved.day
            """,
            [array_of(column) for column in zip(*moved, strict=True)] or ["{}", "{}", "{}"],
        )
