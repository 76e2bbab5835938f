"""What waits for the staff of Revampd."""

from datetime import datetime, timedelta

from billing.models import Adjustment, BillingRun, Plan
from connections.models import Event, Viewing
from notifications.models import Delivery
from tickets.models import Ticket

from .furnished import LONG_NOTE, Furnished


def show_staff(house: Furnished, now: datetime) -> None:
    """What Revampd's staff have to look at: an adjustment that takes two, runs, their own pages."""
    cast = house.cast
    large = Adjustment.adjust(
        cast.revampd_bluebird, 900_00, reason=LONG_NOTE[:190], by=cast.rhea, at=now
    )
    lost = BillingRun.objects.create(
        started_at=now - timedelta(hours=1), connections=1200, done=431, issued=431
    )
    seen = Viewing.objects.create(
        staff=cast.rhea,
        person=cast.ben,
        reason="Does not find the invoice",
        started_at=now - timedelta(hours=2),
        until=now - timedelta(hours=1),
        ended_at=now - timedelta(hours=1),
    )
    rows = {
        "organization": cast.northwind,
        "user": cast.ben,
        "connection": cast.revampd_northwind,
        "invoice": cast.northwind_bluebird.invoices.owed().first(),
        "credit": cast.northwind_bluebird.credits.first(),
        "adjustment": large,
        "billingrun": BillingRun.objects.exclude(pk=lost.pk).first(),
        "viewing": seen,
        "plan": Plan.objects.filter(provider=cast.revampd).first(),
        "ticket": Ticket.objects.filter(provider=cast.revampd).first()
        or Ticket.objects.escalated().first(),
        "event": Event.objects.first(),
        "delivery": Delivery.objects.first(),
    }
    house.values |= {f"admin {name}": row.pk for name, row in rows.items() if row}
    house.values["lost run"] = lost.pk
