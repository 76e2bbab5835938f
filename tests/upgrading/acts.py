"""Writes as people of a demo do, in a process of its own: `python acts.py`.

Run by the code whose own it is: that of the last commit runs the acts of the last commit. Prints
how many rows were added, each kind by name.
"""

import json
from datetime import timedelta

import django

django.setup()

from django.db.models import Sum  # noqa: E402
from django.utils import timezone  # noqa: E402

from billing.collecting import collect_due  # noqa: E402
from billing.cycle import bill_due  # noqa: E402
from billing.models import BillingRequest, Invoice, OneTimeCharge, Payment  # noqa: E402
from billing.models.proposals import Proposal  # noqa: E402
from connections.models import Connection, User  # noqa: E402
from notifications.draining import drain_events  # noqa: E402
from notifications.models import Notification  # noqa: E402
from revampd.demo.companies import BRIGHTWELL, HELEN, LAKESIDE, MAYA  # noqa: E402
from tickets.models import Side, Ticket  # noqa: E402

A_MONTH = timedelta(days=32)


def main() -> dict[str, int]:
    now = timezone.now()
    before = counted()
    connection = Connection.objects.select_related("provider", "customer").get(
        provider__name=BRIGHTWELL.name, customer__name=LAKESIDE.name
    )
    maya, helen = (User.objects.get(email=person.email) for person in (MAYA, HELEN))

    service = OneTimeCharge.objects.filter(provider=connection.provider).order_by("name")[0]
    sent = BillingRequest.propose(Proposal(service), connection=connection, by=maya, at=now)
    sent.approve(by=helen, seal=sent.seal, at=now)
    bill_due((now + A_MONTH).date(), at=now)
    collect_due(at=now)
    ticket = Ticket.submit(connection, title="Is all well?", body="So it seems.", by=helen, at=now)
    ticket.reply("It is.", side=Side.PROVIDER, by=maya, at=now)
    drain_events()

    return {name: number - before[name] for name, number in counted().items()}


def counted() -> dict[str, int]:
    kinds = (BillingRequest, Invoice, Payment, Ticket, Notification)
    rows = {kind.__name__: kind.objects.count() for kind in kinds}
    return rows | {"paid": Invoice.objects.aggregate(sum=Sum("paid", default=0))["sum"]}


print(json.dumps(main()))  # noqa: T201
