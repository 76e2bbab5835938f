"""How the demo's companies bring others: links, terms, and a Partner that signs up by itself."""

from collections.abc import Generator
from datetime import datetime

from payouts.models import ReferralLink, ReferralTerms
from payouts.referring import sign_up

from .deals import Deal
from .people import Company, Person
from .purse import add_card
from .stage import Stage


def give(stage: Stage, seller: Company, rate: int, months: int | None, *, by: Person) -> None:
    """From now on, so many hundredths of a percent for whoever brings `seller` a customer."""
    provider, user = stage.organization(seller), stage.user(by)
    ReferralTerms.offer(provider, rate=rate, months=months, by=user, at=stage.at)


def make_link(stage: Stage, owner: Company, provider: Company, *, by: Person) -> ReferralLink:
    ends = stage.organization(owner), stage.organization(provider)
    return ReferralLink.make(*ends, by=stage.user(by), at=stage.at)


def come_by_link(
    stage: Stage,
    company: Company,
    *,
    provider: Company,
    link: ReferralLink,
    joined: int,
    by: Person,
) -> Generator[datetime, None, Deal]:
    """The owner of `company` signs it up; `by` looks after it, and colleagues come a day later."""
    yield stage.ago(joined, 18, 45)
    owner = stage.user(company.owner)
    connection = sign_up(link, name=company.name, by=owner, at=stage.at)
    stage.settle_in(connection.customer, company)
    team = {m.user_id: m for m in stage.organization(provider).memberships.all()}
    support = next((m for m in team.values() if m.role == "SUPPORT"), None)
    seller = stage.user(by)
    connection.assign_owners(sales=team[seller.pk], support=support, by=seller, at=stage.at)
    deal = stage.deal(provider, company)
    add_card(deal, "visa", by=company.owner)
    invitations = [
        (stage.invite_colleague(company, member.person, member.role), member.person)
        for member in company.colleagues
    ]
    yield stage.ago(joined - 1, 16, 10)
    for invitation, person in invitations:
        stage.join(invitation, person)
    return deal
