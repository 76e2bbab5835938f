"""What pages.py looks at: a Partner with 5,000 Sub-Orgs, each billed month by month."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from billing.collecting import pay
from billing.cycle import bill_due
from billing.models import (
    AddOn,
    BillingRequest,
    Credit,
    Payment,
    Plan,
    PlanVersion,
    SelfService,
)
from billing.models.proposals import Proposal
from connections.models import Connection, Membership, Organization, Outbox, User
from notifications.bell import bell_of
from notifications.draining import drain_events
from tests.billing.cards import add_card
from tests.crowd import OWNERS, seed

MAYA, BEN, RHEA = "maya@example.com", "ben@example.com", "rhea@example.com"
TIERS = {"Starter": 97_00, "Pro": 297_00, "Scale": 597_00}  # a month; the Partner has the last
# Has add-ons and credits, as by far not everybody does.
SHOWN = "Clinic 15"
PAGE = 25  # rows, wherever there is a list
TOLD_OF = 100_000
# What somebody heard of first happens again and again, and three in four they have read.
TOLD = """
WITH first AS (
    SELECT notification.* FROM notifications_notification notification
    JOIN connections_user reader ON reader.id = recipient_id AND reader.email = %(who)s
    ORDER BY notification.id LIMIT 1
), event AS (
    INSERT INTO connections_event (at, recorded_at, code, organization_id, connection_id, actor_id,
        subject_type, subject_id, facts, origin)
    SELECT at, recorded_at, code, event.organization_id, event.connection_id, actor_id,
        subject_type, subject_id, facts, origin
    FROM connections_event event JOIN first ON event.id = first.event_id,
        generate_series(1, %(more)s)
    RETURNING id
)
INSERT INTO notifications_notification (event_id, recipient_id, organization_id, connection_id,
    side, category, title, body, created_at, read_at)
SELECT event.id, recipient_id, organization_id, connection_id, side, category, title, body,
    created_at, CASE WHEN event.id %% 4 > 0 THEN created_at END
FROM first, event
"""


def fill(owner: psycopg.Connection[Any], customers: int, months: int) -> dict[str, Any]:
    """Fill the empty database. Returns what stands in addresses."""
    today = timezone.now().date()
    first = today - relativedelta(months=months - 1)
    with owner.transaction():
        cursor = psycopg.ClientCursor(owner)
        seed(cursor, customers, first, share=customers)
        cursor.execute(OWNERS, {"count": customers})
    owner.execute("VACUUM (ANALYZE)")
    for month in range(months):
        _bill(first + relativedelta(months=month))
    connection = Connection.objects.get(customer__name=SHOWN)
    maya, ben = (
        _owner_of(connection.provider, MAYA, "Maya Okafor"),
        _owner_of(connection.customer, BEN, "Ben Carter"),
    )
    now = timezone.now()
    _live(connection, maya, ben, now)
    with_revampd = _subscribe(connection.provider, maya, now, months)
    Outbox.objects.exclude(event__connection=connection).delete()
    drain_events()
    with owner.transaction():
        owner.execute(TOLD, {"more": TOLD_OF, "who": BEN})
    owner.execute("VACUUM (ANALYZE)")
    return {
        "bell": bell_of(ben).version,
        "connection": connection.pk,
        "partner": connection.provider.slug,
        "sub_org": connection.customer.slug,
        "invoice": connection.invoices.newest_first().first().number,
        "revampd": with_revampd.pk,
        "tier": PlanVersion.objects.get(plan__name="Pro").pk,
        "offered": AddOn.objects.filter(provider=with_revampd.provider).latest("id").pk,
    }


def _bill(day: date) -> None:
    bill_due(day, at=datetime.combine(day, time(12), UTC))


def _owner_of(organization: Organization, email: str, name: str) -> User:
    user = User.objects.create_user(email, name=name)
    Membership.objects.create(
        user=user, organization=organization, role="OWNER", joined_at=timezone.now()
    )
    return user


def _subscribe(partner: Organization, maya: User, now: datetime, months: int) -> Connection:
    """What a Partner has with Revampd after `months`: a tier, an add-on, invoices, credits."""
    revampd, first = Organization.objects.platform(), now - relativedelta(months=months)
    rhea = _owner_of(revampd, RHEA, "Rhea Lindqvist")
    connection = Connection.open(provider=revampd, customer=partner, by=rhea)
    connection.activate(by=rhea, at=first)
    for name, price in TIERS.items():
        plan = Plan.offer(provider=revampd, by=rhea, name=name)
        tier = plan.publish(
            by=rhea, at=first, interval="MONTH", base_price=price, max_sub_orgs=10_000
        )
    add_ons = [
        AddOn.offer(provider=revampd, by=rhea, name=f"Add-on {number}", unit_price=5_00)
        for number in range(12)
    ]
    service = SelfService(connection)
    service.choose_tier(tier, by=maya, at=first)
    service.add(add_ons[0], 3, by=maya, at=first + timedelta(hours=1))
    for month in range(1, months + 1):
        _bill((first + relativedelta(months=month)).date())
    card = add_card(connection, by=maya, at=now)
    for invoice in connection.invoices.owed().order_by("number"):
        pay(invoice, card, cause=Payment.Cause.ISSUE, at=now)
    for _ in range(PAGE):
        Credit.adjust(connection, 5_00, reason="For the outage", by=rhea, at=now)
    return connection


def _live(connection: Connection, maya: User, ben: User, now: datetime) -> None:
    """Fill every list of the connection: what was billed is paid, much was offered and given."""
    card = add_card(connection, by=ben, at=now)
    for invoice in connection.invoices.owed().order_by("number"):
        pay(invoice, card, cause=Payment.Cause.ISSUE, at=now)
    add_on = AddOn.objects.filter(provider=connection.provider).earliest("id")
    for number in range(PAGE):
        at = now - timedelta(minutes=PAGE - number)
        request = BillingRequest.propose(
            Proposal(add_on, quantity=number + 1, note="As agreed on the phone."),
            connection=connection,
            by=maya,
            at=at,
        )
        if number < PAGE - 3:
            request.withdraw(by=maya, at=at)
        Credit.adjust(connection, 5_00, reason="For the outage", by=maya, at=at)
