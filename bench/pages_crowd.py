"""What pages.py looks at: a Partner with 5,000 Sub-Orgs, each billed month by month."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from billing.collecting import pay
from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, Credit, Payment
from billing.models.proposals import Proposal
from connections.models import Connection, Membership, Organization, Outbox, User
from notifications.bell import bell_of
from notifications.draining import drain_events
from tests.billing.cards import add_card
from tests.crowd import seed

MAYA, BEN = "maya@example.com", "ben@example.com"
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
        seed(psycopg.ClientCursor(owner), customers, first, share=customers)
    owner.execute("VACUUM (ANALYZE)")
    for month in range(months):
        _bill(first + relativedelta(months=month))
    connection = Connection.objects.get(customer__name=SHOWN)
    maya, ben = (
        _owner_of(connection.provider, MAYA, "Maya Okafor"),
        _owner_of(connection.customer, BEN, "Ben Carter"),
    )
    _live(connection, maya, ben, timezone.now())
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
    }


def _bill(day: date) -> None:
    bill_due(day, at=datetime.combine(day, time(12), UTC))


def _owner_of(organization: Organization, email: str, name: str) -> User:
    user = User.objects.create_user(email, name=name)
    Membership.objects.create(
        user=user, organization=organization, role="OWNER", joined_at=timezone.now()
    )
    return user


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
