"""A process of its own that adds cards to customers and collects what comes to be owed.

`python -m tests.faults.paying COUNT`: it goes on until it is ended.
"""

import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from billing.collecting import collect_due  # noqa: E402
from connections.models import Connection, User  # noqa: E402
from tests.billing.cards import add_card  # noqa: E402


def main(count: int) -> None:
    owner = User.objects.get(email="owner@example.com")
    for connection in Connection.objects.select_related("customer").order_by("pk")[:count]:
        add_card(connection, by=owner, at=timezone.now())
    while True:
        collect_due(at=timezone.now())
        time.sleep(0.05)


main(int(sys.argv[1]))
