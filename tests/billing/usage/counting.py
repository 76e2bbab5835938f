"""A plan of Northwind that charges by number, and what was counted of it."""

from datetime import date
from typing import Any

from billing.models import PlanVersion, UsageRecord
from billing.pricing import Interval, Measure
from tests.billing.acts import NOW, TODAY
from tests.cast import LONG_AGO, Cast

BOOKING, TRANSFER = Measure.BOOKING, Measure.TRANSFER
HEADER = "measure,day,quantity,key"


def metered(
    cast: Cast, *, booking_fee: int = 2_00, transfer_fee: int = 75, **terms: Any
) -> PlanVersion:
    """A version of Growth, $149 a month, that charges $2.00 a booking and $0.75 a transfer."""
    fees = {"booking_fee": booking_fee, "transfer_fee": transfer_fee}
    terms = {"interval": Interval.MONTH, "base_price": 149_00, **fees, **terms}
    return cast.growth.plan.publish(by=cast.maya, at=LONG_AGO, **terms)


def enter(
    cast: Cast,
    quantity: int = 3,
    on: date = TODAY,
    key: str = "B-1",
    measure: Measure = BOOKING,
    **details: Any,
) -> UsageRecord:
    """Noah enters it for Bluebird."""
    details = {"by": cast.noah, "at": NOW, **details}
    return UsageRecord.enter(
        cast.northwind_bluebird,
        measure=measure,
        used_on=on,
        quantity=quantity,
        key=key,
        **details,
    )


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def many_rows(number: int, day: date = TODAY) -> bytes:
    """`number` rows of one booking each."""
    return file_of(*(f"booking,{day},1,K-{index}" for index in range(number)))
