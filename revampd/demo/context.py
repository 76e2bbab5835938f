"""What pages of a demo know besides: everybody of the cast, and how far the clock was moved."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from dateutil.relativedelta import relativedelta
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from connections.access import Party
from connections.models import Organization
from revampd.kit import clock

from .companies import COMPANIES
from .people import Company, Member
from .seed import PASSWORD


def people(_: HttpRequest) -> dict[str, Any]:
    """`demo_people` and `demo_password`; only a demo lists this among its context processors."""
    return {"demo_people": _groups, "demo_password": PASSWORD}


@dataclass(frozen=True)
class MovedClock:
    """The day that a page takes for today, and in words how far ahead that is."""

    today: date
    distance: str


def moved_clock(request: HttpRequest) -> dict[str, Any]:
    """`moved_clock`, if the page goes by a clock that was moved."""
    party: Party | None = getattr(request, "party", None)
    # A refusal is shown after the view has ended, and its clock with it; the party is still known.
    ahead = party.connection.ahead if party else clock.ahead()
    if not ahead:
        return {}
    zone = party.connection.provider.zone if party else None
    real = timezone.localtime(timezone=zone)
    today = timezone.localdate(real + ahead, zone)
    return {"moved_clock": MovedClock(today, in_words(real.date(), today, ahead))}


def in_words(real: date, today: date, ahead: timedelta) -> str:
    """How far `today` is ahead of the `real` day: "2 months and 3 days ahead"."""
    between = relativedelta(today, real)
    numbers = {"year": between.years, "month": between.months, "day": between.days}
    parts = [f"{n} {unit}{'s' if n != 1 else ''}" for unit, n in numbers.items() if n]
    return f"{' and '.join(parts[:2])} ahead" if parts else f"{ahead.seconds // 3600} h ahead"


@cache
def _groups() -> list[dict[str, Any]]:
    return [_group(company) for company in COMPANIES]


def _role(member: Member) -> str:
    staff = member.person.staff
    return f"Staff: {staff}" if staff else str(member.role.label)


def _group(company: Company) -> dict[str, Any]:
    return {
        "name": company.name,
        "kind_label": Organization.Kind(company.kind).label,
        "people": [
            {
                "name": member.person.name,
                "role": _role(member),
                "url": reverse("demo:sign-in", args=[member.person.key]),
            }
            for member in company.members
        ],
    }
