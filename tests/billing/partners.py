"""Northwind as a customer of Revampd, and files of Sub-Orgs that it sends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from billing import importing
from billing.models import BillingRequest, Plan, PlanVersion, SubOrgImport
from billing.models.proposals import Proposal
from billing.pricing import Interval
from billing.sub_org_files import SubOrgFile
from connections.models import Connection
from tests.cast import LONG_AGO, Cast

HEADER = "name,email,sales_owner,support_owner"


def tier(
    cast: Cast, sub_orgs: int | None, name: str = "Starter", price: int = 97_00
) -> PlanVersion:
    """A tier of Revampd that allows so many Sub-Orgs."""
    offered = Plan.offer(provider=cast.revampd, by=cast.rhea, name=name)
    return offered.publish(
        by=cast.rhea,
        at=LONG_AGO,
        interval=Interval.MONTH,
        base_price=price,
        transaction_fee=5_00,
        max_sub_orgs=sub_orgs,
    )


def take_tier(cast: Cast, sub_orgs: int | None, at: datetime | None = None) -> PlanVersion:
    """Northwind chooses a tier that allows so many Sub-Orgs; Bluebird is one of them."""
    version = tier(cast, sub_orgs)
    BillingRequest.choose(
        Proposal(version),
        connection=cast.revampd_northwind,
        by=cast.maya,
        at=at or timezone.now() - timedelta(days=40),
    )
    return version


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def clinics(number: int, first: int = 1) -> bytes:
    """A file of so many Sub-Orgs with an owner each."""
    rows = range(first, first + number)
    return file_of(*(f"Clinic {n},owner-{n}@example.com,," for n in rows))


def confirm(cast: Cast, content: bytes, **details: Any) -> SubOrgImport:
    """Maya has read what it would do and confirms it."""
    return importing.confirm(
        SubOrgFile(content),
        partner=cast.northwind,
        by=cast.maya,
        **{"at": timezone.now(), "key": uuid4(), **details},
    )


def sub_orgs(cast: Cast) -> Sequence[Connection]:
    """Northwind's Sub-Orgs, by the time at which they came."""
    return list(cast.northwind.provided.select_related("customer").order_by("created_at", "id"))
