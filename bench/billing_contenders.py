"""One contender of billing_run.py, in a process of its own: says that it is ready, waits, runs."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import billing_floor  # noqa: E402
import django  # noqa: E402
from measuring import cpu_of  # noqa: E402

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.db.models import F, Prefetch  # noqa: E402

from billing import events  # noqa: E402
from billing.cycle import bill_due  # noqa: E402
from billing.models import (  # noqa: E402
    Credit,
    CreditApplication,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    Subscription,
    SubscriptionItem,
    Transfer,
)
from billing.models.ledger import ACCOUNTS, Movement  # noqa: E402
from billing.pricing import Charge, Running  # noqa: E402
from connections.kinds import storable  # noqa: E402
from connections.models import Connection, Event, Outbox  # noqa: E402
from revampd.kit.money import Money  # noqa: E402

FLOOR_SIZE = 5000
BULK_SIZE = 2000


def floor(on: date, at: datetime) -> int:
    return billing_floor.bill(connection.connection, on, at, FLOOR_SIZE)


def run(on: date, at: datetime) -> int:
    return bill_due(on, at=at)


def bulk(on: date, at: datetime) -> int:
    """What a good team writes with the ORM: chunks, prefetching, bulk_create and bulk_update."""
    issued = 0
    while True:
        with transaction.atomic():
            due = list(_due(on)[:BULK_SIZE])
            if not due:
                return issued
            _bill_chunk(due, at)
        issued += len(due)


def _due(on: date) -> Any:
    items = SubscriptionItem.objects.filter(end_date=None).order_by("-kind", "start_date", "id")
    parties = ("connection__provider", "connection__customer")
    rows = Subscription.objects.due(on).order_by("connection").select_related(*parties)
    return rows.select_for_update(of=("self",)).prefetch_related(Prefetch("items", items, "own"))


def _bill_chunk(due: Iterable[Subscription], at: datetime) -> None:
    wallets: dict[Any, list[Credit]] = defaultdict(list)
    unspent = Credit.objects.unspent().filter(connection__in=[row.connection_id for row in due])
    for credit in unspent.order_by("issued_at", "id"):
        wallets[credit.connection_id].append(credit)
    providers = {row.connection.provider_id for row in due}
    InvoiceSeries.objects.bulk_create(
        [InvoiceSeries(provider_id=key) for key in providers], ignore_conflicts=True
    )
    series = InvoiceSeries.objects.select_for_update().order_by("provider").in_bulk(providers)
    invoices, lines, used, told = [], [], [], []
    for subscription in due:
        row = series[subscription.connection.provider_id]
        row.last_number += 1
        invoice, own = _invoice(subscription, row.last_number, at)
        taken = _take(wallets[subscription.connection_id], invoice, at)
        invoice.collect_on = None if _credited(taken) == invoice.total else invoice.issue_date
        invoices.append(invoice)
        lines += own
        used += taken
        told.append(_event(subscription, invoice, _credited(taken), at))
        for item in subscription.own:
            item.billed_to = invoice.period_end
        subscription.next_invoice_date = invoice.period_end
    Invoice.objects.bulk_create(invoices)
    InvoiceLine.objects.bulk_create(lines)
    CreditApplication.objects.bulk_create(used)
    Transfer.objects.bulk_create(
        [_transfer(Movement.INVOICED, i.connection_id, i.total, i.pk, at) for i in invoices]
        + [_transfer(Movement.APPLIED, a.connection_id, a.amount, a.pk, at) for a in used]
    )
    Event.objects.bulk_create(told)
    Outbox.objects.bulk_create([Outbox(event=event) for event in told])
    items = [item for subscription in due for item in subscription.own]
    SubscriptionItem.objects.bulk_update(items, ["billed_to"])
    Subscription.objects.bulk_update(due, ["next_invoice_date"])
    InvoiceSeries.objects.bulk_update(series.values(), ["last_number"])


def _invoice(
    subscription: Subscription, number: int, at: datetime
) -> tuple[Invoice, list[InvoiceLine]]:
    connection, day = subscription.connection, subscription.next_invoice_date
    charges = _charges(subscription)
    invoice = Invoice(
        connection=connection,
        provider=connection.provider,
        number=number,
        kind=Invoice.Kind.SUBSCRIPTION,
        currency=connection.currency,
        total=sum(charge.amount.minor for charge in charges),
        period_start=day,
        period_end=charges[0].period.end,
        issue_date=day,
        due_date=day + timedelta(days=14),
        issued_at=at,
        provider_details=connection.provider.party_details,
        customer_details=connection.customer.party_details,
    )
    requests = {item.pk: item.request_id for item in subscription.own}
    return invoice, [
        InvoiceLine(
            connection=connection,
            invoice=invoice,
            request_id=requests[charge.item.key],
            item_id=charge.item.key,
            position=position,
            kind=charge.item.kind,
            description=charge.text,
            quantity=charge.quantity,
            unit_price=charge.unit_price.minor,
            amount=charge.amount.minor,
            period_start=charge.period.start,
            period_end=charge.period.end,
        )
        for position, charge in enumerate(charges, start=1)
    ]


def _charges(subscription: Subscription) -> list[Charge]:
    for item in subscription.own:
        item.subscription = subscription
    items = tuple(item.as_item() for item in subscription.own)
    return Running(items, subscription.next_invoice_date).upcoming()


def _take(wallet: list[Credit], invoice: Invoice, at: datetime) -> list[CreditApplication]:
    owed, taken = invoice.total, []
    for credit in wallet:
        amount = min(owed, credit.amount - credit.applied)
        if amount:
            taken.append(
                CreditApplication(
                    connection_id=invoice.connection_id,
                    credit=credit,
                    invoice=invoice,
                    amount=amount,
                    applied_at=at,
                )
            )
            owed -= amount
    return taken


def _credited(taken: Iterable[CreditApplication]) -> int:
    return sum(application.amount for application in taken)


def _transfer(
    kind: Movement, connection_id: Any, amount: int, document: Any, at: datetime
) -> Transfer:
    debit, credit = ACCOUNTS[kind]
    return Transfer(
        connection_id=connection_id,
        kind=kind,
        debit=debit,
        credit=credit,
        amount=amount,
        document=document,
        at=at,
    )


def _event(subscription: Subscription, invoice: Invoice, credited: int, at: datetime) -> Event:
    connection = subscription.connection
    return Event(
        code=events.invoice_issued.code,
        organization=connection.provider,
        connection=connection,
        subject_type=Invoice._meta.label_lower,
        subject_id=str(invoice.pk),
        at=at,
        facts=storable(
            {
                "number": invoice.number,
                "code": invoice.code,
                "amount": invoice.total_money,
                "credited": Money(credited, invoice.currency),
                "payable": Money(invoice.total - credited, invoice.currency),
                "due": invoice.due_date,
                "provider": connection.provider.name,
                "customer": connection.customer.name,
            }
        ),
    )


def naive(on: date, at: datetime) -> int:
    """What a team ships first: a transaction a subscription, a row a statement."""
    keys = Subscription.objects.due(on).order_by("connection").values_list("pk", flat=True)
    due = list(keys)
    for key in due:
        with transaction.atomic():
            _bill_one(key, at)
    return len(due)


def _bill_one(key: Any, at: datetime) -> None:
    subscription = Subscription.objects.select_related(
        "connection__provider", "connection__customer"
    ).get(pk=key)
    connection = subscription.connection
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    rows = subscription.items.filter(end_date=None).order_by("-kind", "start_date", "id")
    subscription.own = list(rows)  # type: ignore[attr-defined]
    series, _ = InvoiceSeries.objects.get_or_create(provider=connection.provider)
    series = InvoiceSeries.objects.select_for_update().get(pk=series.pk)
    InvoiceSeries.objects.filter(pk=series.pk).update(last_number=F("last_number") + 1)
    invoice, lines = _invoice(subscription, series.last_number + 1, at)
    wallet = Credit.objects.unspent().filter(connection=connection).order_by("issued_at", "id")
    taken = _take(list(wallet), invoice, at)
    invoice.collect_on = None if _credited(taken) == invoice.total else invoice.issue_date
    invoice.save(force_insert=True)
    InvoiceLine.objects.bulk_create(lines)  # the database takes them together or not at all
    for application in taken:
        application.save(force_insert=True)
        transfer = _transfer(
            Movement.APPLIED, connection.pk, application.amount, application.pk, at
        )
        transfer.save()
    _transfer(Movement.INVOICED, connection.pk, invoice.total, invoice.pk, at).save()
    event = _event(subscription, invoice, _credited(taken), at)
    event.save()
    Outbox.objects.create(event=event)
    for item in subscription.own:  # type: ignore[attr-defined]
        SubscriptionItem.objects.filter(pk=item.pk).update(billed_to=invoice.period_end)
    Subscription.objects.filter(pk=key).update(next_invoice_date=invoice.period_end)


CONTENDERS: dict[str, Callable[[date, datetime], int]] = {
    "floor": floor,
    "run": run,
    "bulk": bulk,
    "naive": naive,
}


def main() -> None:
    bill, on = CONTENDERS[sys.argv[1]], date.fromisoformat(sys.argv[2])
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    print("ready", flush=True)
    sys.stdin.readline()
    wall, own, its = time.perf_counter(), time.process_time(), cpu_of(backend)
    invoices = bill(on, at)
    wall, own, its = (
        time.perf_counter() - wall,
        time.process_time() - own,
        cpu_of(backend) - its,
    )
    print(json.dumps({"invoices": invoices, "wall": wall, "cpu": own + its}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
