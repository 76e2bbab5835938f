"""The named cast of the tests: who they are, and where they belong.

Revampd sells to Northwind Agency (a Partner), which sells to Bluebird Clinic (a Sub-Org). Contoso
Media and its Sub-Org Fabrikam are the neighbours, who must never see any of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allauth.account.models import EmailAddress

from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion
from billing.pricing import Interval
from connections.models import Connection, Invitation, Organization, User

LONG_AGO = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAMES = (
    *("Rhea", "Maya", "Noah", "Dana", "Vera", "Ben", "Bella", "Sam", "Theo"),
    *("Dora", "Oscar", "Fay", "Zed"),
)
PASSWORD = "correct horse battery"


def person(first_name: str, **fields: bool) -> User:
    """A person with a verified address, who can sign in with PASSWORD."""
    email = f"{first_name.lower()}@example.com"
    user = User.objects.create_user(email, PASSWORD, name=f"{first_name} Tester", **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


@dataclass
class Cast:
    """Everybody. Each has one role in one organization; Dora belongs to both sides."""

    rhea: User  # staff of Revampd, owner of the platform
    maya: User  # Northwind: owner
    noah: User  # Northwind: billing
    dana: User  # Northwind: support
    vera: User  # Northwind: viewer
    ben: User  # Bluebird: owner
    bella: User  # Bluebird: billing
    sam: User  # Bluebird: support
    theo: User  # Bluebird: viewer
    dora: User  # Northwind: billing, and Bluebird: owner
    oscar: User  # Contoso: owner
    fay: User  # Fabrikam: owner
    zed: User  # belongs nowhere

    revampd: Organization
    northwind: Organization
    bluebird: Organization
    contoso: Organization
    fabrikam: Organization

    revampd_northwind: Connection
    northwind_bluebird: Connection
    revampd_bluebird: Connection
    contoso_fabrikam: Connection

    growth: PlanVersion  # Northwind's plan, $149 a month
    scale: PlanVersion  # Northwind's plan, $297 a month
    growth_yearly: PlanVersion  # $1,490 would exceed the limits: $990 a year
    phone_numbers: AddOn  # $2.50 a month each
    setup: OneTimeCharge  # $400
    contoso_basic: PlanVersion  # Contoso's plan, $99 a month


def assemble() -> Cast:
    """The whole cast, through the same verbs as real people."""
    people: dict[str, Any] = {name.lower(): person(name, is_staff=name == "Rhea") for name in NAMES}
    rhea = people["rhea"]
    revampd = Organization.found(kind=Organization.Kind.PLATFORM, name="Revampd", by=rhea)
    revampd.admit(rhea, role="OWNER", by=rhea)
    northwind = connect(revampd, "Northwind Agency", people["maya"], by=rhea)
    contoso = connect(revampd, "Contoso Media", people["oscar"], by=rhea)
    bluebird = connect(northwind, "Bluebird Clinic", people["ben"], by=people["maya"])
    fabrikam = connect(contoso, "Fabrikam", people["fay"], by=people["oscar"])
    for organization, name, role in (
        (northwind, "noah", "BILLING"),
        (northwind, "dana", "SUPPORT"),
        (northwind, "vera", "VIEWER"),
        (northwind, "dora", "BILLING"),
        (bluebird, "bella", "BILLING"),
        (bluebird, "sam", "SUPPORT"),
        (bluebird, "theo", "VIEWER"),
        (bluebird, "dora", "OWNER"),
    ):
        organization.admit(people[name], role=role, by=None)
    return Cast(
        **people,
        revampd=revampd,
        northwind=northwind,
        bluebird=bluebird,
        contoso=contoso,
        fabrikam=fabrikam,
        revampd_northwind=between(revampd, northwind),
        northwind_bluebird=between(northwind, bluebird),
        revampd_bluebird=between(revampd, bluebird),
        contoso_fabrikam=between(contoso, fabrikam),
        **catalog(northwind, people["maya"]),
        contoso_basic=plan(contoso, people["oscar"], "Basic", 99_00),
    )


def connect(provider: Organization, name: str, owner: User, *, by: User) -> Organization:
    """A new customer of `provider`, whose first owner has accepted."""
    invitation = Invitation.send_to_customer(
        provider=provider, name=name, email=owner.email, by=by, at=LONG_AGO
    )
    return invitation.accept(by=owner, at=LONG_AGO).organization


def between(provider: Organization, customer: Organization) -> Connection:
    rows = Connection.objects.select_related("provider", "customer")
    return rows.get(provider=provider, customer=customer)


def catalog(provider: Organization, by: User) -> dict[str, Any]:
    growth = plan(provider, by, "Growth", 149_00)
    return {
        "growth": growth,
        "scale": plan(provider, by, "Scale", 297_00),
        "growth_yearly": growth.plan.publish(
            by=by, at=LONG_AGO, interval=Interval.YEAR, base_price=990_00
        ),
        "phone_numbers": AddOn.offer(
            provider=provider, by=by, name="Phone number", unit_price=2_50
        ),
        "setup": OneTimeCharge.offer(provider=provider, by=by, name="Setup", unit_price=400_00),
    }


def plan(provider: Organization, by: User, name: str, price: int, **prices: Any) -> PlanVersion:
    offered = Plan.offer(provider=provider, by=by, name=name)
    return offered.publish(by=by, at=LONG_AGO, interval=Interval.MONTH, base_price=price, **prices)
