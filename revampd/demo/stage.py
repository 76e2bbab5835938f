"""The clock of the play, and what stories let people do: each line here is one verb of the product.

A story is a generator. `yield stage.ago(12)` waits until twelve days ago; what follows happens
then. All stories run at once, so that invoices are numbered in the order of time.
"""

from collections.abc import Generator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group

from billing import seats
from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion
from connections.models import Connection, Invitation, Membership, Organization, User

from .deals import Deal
from .people import KINDS, Company, Person
from .purse import add_card

Story = Generator[datetime, None, None]
CatalogEntry = PlanVersion | AddOn | OneTimeCharge


class Stage:
    """Who and what is there at the moment `at` of the play; `now` is when it ends."""

    def __init__(self, now: datetime) -> None:
        self.now = self.at = now
        self._users: dict[str, User] = {}
        self._organizations: dict[str, Organization] = {}
        self._catalog: dict[tuple[str, str], CatalogEntry] = {}

    # Time

    def ago(self, days: int, hour: int = 17, minute: int = 0) -> datetime:
        """An hour (UTC) of a past day: from 16 to 22 it is business time all over the US."""
        day = self.today - timedelta(days=days)
        return min(datetime.combine(day, time(hour, minute), UTC), self.now)

    def minutes_ago(self, minutes: int) -> datetime:
        return self.now - timedelta(minutes=minutes)

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    # People

    def user(self, person: Person) -> User:
        """The person's account. At their first appearance they sign up for it."""
        if person.key not in self._users:
            fields = {"name": person.name, "time_zone": person.time_zone, "date_joined": self.at}
            is_staff = bool(person.staff)
            user = User.objects.create_user(person.email, None, is_staff=is_staff, **fields)
            user.groups.set(Group.objects.filter(name=person.staff))
            EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
            self._users[person.key] = user
        return self._users[person.key]

    # Organizations

    def found_platform(self, company: Company) -> Organization:
        """The platform itself, with everybody who works there."""
        by = self.user(company.owner)
        platform = Organization.found(
            kind=KINDS.PLATFORM, name=company.name, by=by, at=self.at, **company.details
        )
        for member in company.members:
            platform.admit(self.user(member.person), role=member.role, by=by, at=self.at)
        self._organizations[company.key] = platform
        return platform

    def invite(self, company: Company, *, provider: Company, by: Person) -> Invitation:
        """Invite a customer's first owner; `by` becomes its sales owner."""
        seller = self.organization(provider)
        team = {m.user_id: m for m in seller.memberships.all()}
        support = [m for m in team.values() if m.role == "SUPPORT"]
        details: dict[str, Any] = {
            "name": company.name,
            "email": company.owner.email,
            "by": self.user(by),
            "at": self.at,
            "owners": {
                "sales_owner": team[self.user(by).pk],
                "support_owner": support[0] if support else None,
            },
        }
        if seller.is_platform:
            return Invitation.send_to_customer(provider=seller, **details)
        return seats.invite(partner=seller, **details)

    def accept(self, invitation: Invitation, company: Company) -> None:
        """The first owner accepts and fills in the company's details."""
        owner = self.user(company.owner)
        self.settle_in(invitation.accept(by=owner, at=self.at).organization, company)

    def settle_in(self, organization: Organization, company: Company) -> None:
        """The first owner fills in the company's details."""
        owner = self.user(company.owner)
        organization.change_details(by=owner, at=self.at, **company.details)
        self._organizations[company.key] = organization

    def invite_colleague(self, company: Company, person: Person, role: str) -> Invitation:
        return Invitation.send(
            organization=self.organization(company),
            email=person.email,
            role=role,
            by=self.user(company.owner),
            at=self.at,
        )

    def join(self, invitation: Invitation, person: Person) -> Membership:
        return invitation.accept(by=self.user(person), at=self.at)

    def organization(self, company: Company) -> Organization:
        return self._organizations[company.key]

    def deal(self, provider: Company, customer: Company) -> Deal:
        """What the two do with each other."""
        rows = Connection.objects.select_related("provider", "customer")
        ends = {"provider": self.organization(provider), "customer": self.organization(customer)}
        return Deal(self, provider, rows.get(**ends))

    # Catalog

    def plan(self, seller: Company, by: Person, name: str, description: str) -> Plan:
        return Plan.offer(**self._sold(seller, by, name, description))

    def publish(self, plan: Plan, seller: Company, by: Person, **terms: Any) -> PlanVersion:
        """A version of a plan. Stories find it by its name, a yearly one by "NAME yearly"."""
        version = plan.publish(by=self.user(by), at=self.at, **terms)
        name = plan.name if version.interval == "MONTH" else f"{plan.name} yearly"
        self._catalog[seller.key, name] = version
        return version

    def add_on(
        self, seller: Company, by: Person, name: str, description: str, unit_price: int
    ) -> None:
        sold = self._sold(seller, by, name, description)
        self._catalog[seller.key, name] = AddOn.offer(**sold, unit_price=unit_price)

    def one_time(
        self, seller: Company, by: Person, name: str, description: str, unit_price: int
    ) -> None:
        sold = self._sold(seller, by, name, description)
        self._catalog[seller.key, name] = OneTimeCharge.offer(**sold, unit_price=unit_price)

    def _sold(self, seller: Company, by: Person, name: str, description: str) -> dict[str, Any]:
        return {
            "provider": self.organization(seller),
            "by": self.user(by),
            "at": self.at,
            "name": name,
            "description": description,
        }

    def item(self, seller: Company, name: str) -> CatalogEntry:
        """What a company sells under this name at present."""
        return self._catalog[seller.key, name]


def welcome(
    stage: Stage,
    company: Company,
    *,
    provider: Company,
    by: Person,
    invited: int,
    accepted: int,
    card: str = "visa",
) -> Generator[datetime, None, Deal]:
    """Invite a company, days ago; its owner accepts and adds a card; colleagues come a day later.

    `card` is the sandbox's name of it, "" for who adds none.
    """
    yield stage.ago(invited, 16, 20)
    invitation = stage.invite(company, provider=provider, by=by)
    yield stage.ago(accepted, 18, 45)
    stage.accept(invitation, company)
    deal = stage.deal(provider, company)
    if card:
        add_card(deal, card, by=company.owner)
    invitations = [
        (stage.invite_colleague(company, member.person, member.role), member.person)
        for member in company.colleagues
    ]
    if invitations:
        yield stage.ago(accepted - 1, 16, 10)
    for invitation, person in invitations:
        stage.join(invitation, person)
    return deal
