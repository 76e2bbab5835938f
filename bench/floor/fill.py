"""Makes the tables of the floor and fills them: `python -m floor.fill CUSTOMERS INVOICES`."""

import sys
from datetime import date, timedelta

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from floor.models import Connection, Invoice, Notification, Organization  # noqa: E402

READER = "maya@example.com"


def fill(customers: int, invoices: int) -> None:
    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)  # the floor's own have no migrations
    reader = User.objects.create_user(READER)
    seller, *buyers = Organization.objects.bulk_create(
        Organization(name=f"Organization {number}") for number in range(customers + 1)
    )
    seller.members.add(reader)
    connections = Connection.objects.bulk_create(
        Connection(seller=seller, buyer=buyer) for buyer in buyers
    )
    Invoice.objects.bulk_create(
        (_invoice(number, connections[number % customers]) for number in range(invoices)),
        batch_size=2_000,
    )
    Notification.objects.bulk_create(
        Notification(user=reader, text=f"Invoice {number}", is_read=number > 4)
        for number in range(200)
    )


def _invoice(number: int, connection: Connection) -> Invoice:
    return Invoice(
        connection=connection,
        number=f"INV-{number:06}",
        state=Invoice.State.values[number % 3],
        cents=4900 + number * 37 % 90000,
        method=("card", "wallet", "")[number % 3],
        issued_on=date(2026, 1, 1) - timedelta(days=number // 100),
    )


if __name__ == "__main__":
    fill(int(sys.argv[1]), int(sys.argv[2]))
