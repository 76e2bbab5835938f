"""Every menu of the site as one table: who sees which entries, in which order.

Product rules, "The menus". An entry appears here when its pages exist.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import slugify

from connections.access import Duty, Party, Side
from connections.models import Membership, Organization

PLATFORM, PARTNER, SUB_ORG = Organization.Kind.values


@dataclass(frozen=True)
class Entry:
    """One line of a menu. `route` is a URL name that takes the menu's own argument.

    With a `duty`, the page opens to members alone whose role has it.
    """

    label: str
    route: str
    icon: str
    duty: Duty | None = None
    url: str = ""
    current: bool = False

    def opens_to(self, membership: Membership) -> bool:
        return self.duty is None or self.duty.belongs_to(membership)

    @property
    def topic(self) -> str:
        """The page of docs/users/ about it."""
        return slugify(self.label)

    def at(self, page: str, *args: Any) -> "Entry":
        url = _address(self.route, *args)
        inside = page.startswith(url) and self.route not in (
            "connection-list",
            "organization-home",
            "overview",
        )
        # A new ticket has an entry of its own, inside that of all tickets.
        inside = inside and not (self.route == TICKETS.route and page == f"{url}new/")
        return replace(self, url=url, current=page == url or inside)


@lru_cache(maxsize=4096)
def _address(route: str, *args: Any) -> str:
    return reverse(route, args=args)


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Place:
    """The organization that the page is about, in words alone."""

    name: str
    kind_label: str


@dataclass(frozen=True)
class Switch:
    """One of the person's organizations, to go to."""

    name: str
    kind_label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Navigation:
    """What the sidebar shows. Two that are equal look the same."""

    organization: Place | None
    organizations: tuple[Switch, ...]
    sections: tuple[Section, ...]

    @property
    def help_url(self) -> str:
        """The page of help about the entry that one is on."""
        current = [entry for section in self.sections for entry in section.entries if entry.current]
        return _address("help", current[-1].topic) if current else _address("help-list")


PERSONAL = (
    Entry("Connections", "connection-list", "connection"),
    Entry("Notifications", "notifications:list", "bell"),
)

ORGANIZATION = {
    PLATFORM: (
        Entry("Home", "organization-home", "home"),
        Entry("Customers", "sub-orgs", "people"),
        Entry("Ticket Manager", "ticket-manager:tickets", "ticket"),
        Entry("Catalog", "catalog:catalog", "catalog"),
        Entry("Members", "connections:members", "person"),
        Entry("Settings", "connections:settings", "settings"),
    ),
    PARTNER: (
        Entry("Home", "organization-home", "home"),
        Entry("Sub-Orgs", "sub-orgs", "people"),
        Entry("Referrals", "referrals:referrals", "link"),
        Entry("Ticket Manager", "ticket-manager:tickets", "ticket"),
        Entry("Catalog", "catalog:catalog", "catalog"),
        Entry("Members", "connections:members", "person"),
        Entry("Settings", "connections:settings", "settings"),
    ),
    SUB_ORG: (
        Entry("Home", "organization-home", "home"),
        Entry("Members", "connections:members", "person"),
        Entry("Settings", "connections:settings", "settings"),
    ),
}

OVERVIEW = Entry("Overview", "overview", "grid")
PLAN = Entry("Plan", "billing:plan", "plan")
ADD_ONS = Entry("Add-Ons", "billing:add-ons", "add-on")
REQUESTS = Entry("Requests", "billing:requests", "request")
TICKETS = Entry("Tickets", "tickets:tickets", "ticket")
SUBMIT = Entry("Submit Ticket", "tickets:submit", "send", Duty.SUPPORT)
MANAGER = Entry("Ticket Manager", "tickets:tickets", "ticket")
INVOICES = Entry("Invoices", "billing:invoices", "invoice")
WALLET = Entry("Wallet", "billing:wallet", "wallet")
AFFILIATE = Entry("Affiliate Payouts", "affiliates:affiliate", "affiliate")
PAYOUTS = Entry("Payouts", "payouts:payouts", "payout")
METHODS = Entry("Payment methods", "billing:payment-methods", "card")

# By the kind of the provider, the kind of the customer, and the side one is on.
CONNECTION = {
    (PLATFORM, PARTNER, Side.CUSTOMER): (
        *(OVERVIEW, PLAN, ADD_ONS, TICKETS, SUBMIT, INVOICES, WALLET),
        *(AFFILIATE, PAYOUTS, METHODS),
    ),
    (PLATFORM, PARTNER, Side.PROVIDER): (
        *(OVERVIEW, PLAN, ADD_ONS, REQUESTS, MANAGER, INVOICES, WALLET, PAYOUTS),
    ),
    (PLATFORM, SUB_ORG, Side.CUSTOMER): (
        *(OVERVIEW, PLAN, ADD_ONS, TICKETS, SUBMIT, INVOICES, WALLET, AFFILIATE, METHODS),
    ),
    (PLATFORM, SUB_ORG, Side.PROVIDER): (
        *(OVERVIEW, PLAN, ADD_ONS, REQUESTS, MANAGER, INVOICES, WALLET),
    ),
    (PARTNER, SUB_ORG, Side.CUSTOMER): (
        *(OVERVIEW, PLAN, REQUESTS, TICKETS, SUBMIT, INVOICES, WALLET, AFFILIATE, METHODS),
    ),
    (PARTNER, SUB_ORG, Side.PROVIDER): (OVERVIEW, PLAN, REQUESTS, MANAGER, INVOICES, WALLET),
}


def navigation(request: HttpRequest, memberships: list[Membership]) -> Navigation:
    """The sidebar of this page for a person with `memberships`."""
    party: Party | None = getattr(request, "party", None)
    organization = organization_of(request, party, memberships)
    sections = [Section("", tuple(entry.at(request.path) for entry in PERSONAL))]
    if organization:
        entries = ORGANIZATION[organization.kind]
        own = tuple(entry.at(request.path, organization.slug) for entry in entries)
        sections.append(Section(organization.name, own))
    if party:
        sections.append(_connection_section(request, party))
    here = Place(organization.name, organization.kind_label) if organization else None
    return Navigation(here, _switches(memberships, organization), tuple(sections))


def organization_of(
    request: HttpRequest, party: Party | None, memberships: list[Membership]
) -> Organization | None:
    """The organization that the page is about, else the person's first."""
    if party:
        return party.organization
    membership: Membership | None = getattr(request, "membership", None)
    if membership:
        return membership.organization
    return memberships[0].organization if memberships else None


def shows_requests(party: Party) -> bool:
    """Whether the menu of a connection has the entry that counts what waits."""
    connection = party.connection
    return REQUESTS in CONNECTION[connection.provider_kind, connection.customer_kind, party.side]


def _connection_section(request: HttpRequest, party: Party) -> Section:
    connection = party.connection
    entries = CONNECTION[connection.provider_kind, connection.customer_kind, party.side]
    offered = (entry for entry in entries if entry.opens_to(party.membership))
    own = tuple(entry.at(request.path, connection.pk) for entry in offered)
    return Section(f"With {party.counterparty}", own)


def _switches(memberships: list[Membership], current: Organization | None) -> tuple[Switch, ...]:
    return tuple(
        Switch(
            name=membership.organization.name,
            kind_label=f"{membership.organization.kind_label} · {membership.role_label}",
            url=f"{_address('connection-list')}?as={membership.organization.slug}",
            current=current is not None and membership.organization_id == current.pk,
        )
        for membership in memberships
    )
