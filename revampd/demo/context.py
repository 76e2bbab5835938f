"""What the sign-in page offers in a demo: everybody of the cast, company by company."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from connections.models import Organization

from .companies import COMPANIES
from .people import Company
from .seed import PASSWORD


def people(_: HttpRequest) -> dict[str, Any]:
    """`demo_people` and `demo_password`; only a demo lists this among its context processors."""
    return {"demo_people": _groups, "demo_password": PASSWORD}


@cache
def _groups() -> list[dict[str, Any]]:
    return [_group(company) for company in COMPANIES]


def _group(company: Company) -> dict[str, Any]:
    return {
        "name": company.name,
        "kind_label": Organization.Kind(company.kind).label,
        "people": [
            {
                "name": member.person.name,
                "role": member.role.label,
                "url": reverse("demo:sign-in", args=[member.person.key]),
            }
            for member in company.members
        ],
    }
