"""Each connection's own clock: how it moves, and by which one a page or a query goes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.cycle import bill_due
from billing.deadlines import expire_overdue, remind_of_pending
from billing.models import BillingRequest, Subscription
from billing.models.proposals import Proposal
from connections.clocks import (
    clock_of_organization,
    clock_of_person,
    now_of_organization,
    own_day,
    own_time,
)
from connections.models import Connection, Event, Invitation, Organization
from revampd.kit import clock
from tests.billing.acts import NOW, agree, issued, propose

MONTH = timedelta(days=30)
ZONES = ["America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland", "UTC"]


def put_ahead(connection: Connection, distance: timedelta) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(ahead=distance)
    connection.refresh_from_db()
    return connection


class TestAdvance:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("hour", [0, 1, 12, 23])
    def test_arrives_on_that_day_where_the_provider_is(self, cast, zone, hour):
        cast.northwind.time_zone = zone
        connection = cast.northwind_bluebird
        connection.provider = cast.northwind
        now = datetime(2026, 3, 27, hour, 30, tzinfo=ZoneInfo(zone))

        # Over the nights in which clocks are changed, in either direction.
        for days in range(1, 240):
            day = now.date() + timedelta(days=days)
            connection.advance(day, now=now)
            assert connection.day_of(connection.own_time(now)) == day

    def test_keeps_the_time_of_day_there(self, cast):
        connection = cast.northwind_bluebird
        connection.provider.time_zone = "America/New_York"

        connection.advance(date(2027, 3, 20), now=datetime(2026, 11, 24, 20, tzinfo=UTC))

        local = connection.own_time(datetime(2026, 11, 24, 20, tzinfo=UTC))
        assert local.astimezone(ZoneInfo("America/New_York")).hour == 15

    def test_never_goes_back(self, cast):
        connection = put_ahead(cast.northwind_bluebird, MONTH)

        connection.advance(timezone.now().date() + timedelta(days=3), now=timezone.now())

        connection.refresh_from_db()
        assert connection.ahead == MONTH

    def test_is_kept_from_going_back_by_the_database(self, cast):
        put_ahead(cast.northwind_bluebird, MONTH)
        for distance in (timedelta(0), MONTH - timedelta(seconds=1)):
            with pytest.raises(DatabaseError), transaction.atomic():
                put_ahead(cast.northwind_bluebird, distance)

    def test_is_kept_from_being_behind_by_the_database(self, cast):
        with pytest.raises(DatabaseError), transaction.atomic():
            put_ahead(cast.northwind_bluebird, -MONTH)


class TestWhoseClock:
    def test_is_the_one_furthest_ahead_for_people_and_organizations(self, cast, settings):
        settings.IS_DEMO = True
        put_ahead(cast.northwind_bluebird, MONTH)
        put_ahead(cast.revampd_northwind, 2 * MONTH)

        def of(context) -> timedelta:
            with context:
                return clock.ahead()

        assert of(clock_of_person(cast.maya)) == 2 * MONTH
        assert of(clock_of_person(cast.ben)) == MONTH
        assert of(clock_of_person(cast.zed)) == timedelta(0)
        assert of(clock_of_organization(cast.northwind)) == 2 * MONTH
        assert of(clock_of_organization(cast.contoso)) == timedelta(0)

    def test_is_real_time_without_a_query_outside_a_demo(self, cast, django_assert_num_queries):
        put_ahead(cast.northwind_bluebird, MONTH)

        with django_assert_num_queries(0), clock_of_person(cast.ben):
            assert clock.ahead() == timedelta(0)

    def test_is_taken_over_by_a_new_connection(self, cast, settings):
        settings.IS_DEMO = True
        put_ahead(cast.revampd_northwind, MONTH)

        with clock_of_organization(cast.northwind):
            sent = Invitation.send_to_customer(
                provider=cast.northwind,
                name="Later",
                email="later@example.com",
                by=cast.maya,
                at=clock.now(),
            )

        connection = sent.connection
        assert connection.ahead == MONTH
        assert connection.created_at <= connection.own_time(timezone.now())

    def test_dates_what_happens_without_an_instant_of_its_own(self, cast):
        with clock.ahead_by(MONTH):
            cast.northwind_bluebird.assign_owners(sales=None, support=None, by=cast.maya)
            cast.northwind.change_details(by=cast.maya, name="Northwind & Co")

        event = Event.objects.latest("id")
        assert event.at - event.recorded_at > MONTH - timedelta(minutes=1)

    def test_decides_whether_an_invitation_is_open(self, cast, settings, client):
        settings.IS_DEMO = True
        sent = Invitation.send(
            organization=cast.northwind,
            email="new@example.com",
            role="VIEWER",
            by=cast.maya,
            at=timezone.now(),
        )
        assert sent.is_open(now_of_organization(sent.sender))

        put_ahead(cast.northwind_bluebird, MONTH)

        assert not sent.is_open(now_of_organization(sent.sender))
        again = sent.resend(by=cast.maya, at=now_of_organization(sent.sender))
        assert again.is_open(now_of_organization(again.sender))


class TestOwnTime:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("hour", [0, 8, 12, 23])
    def test_is_computed_alike_by_the_database_and_by_python(self, cast, zone, hour):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone=zone)
        put_ahead(cast.northwind_bluebird, timedelta(days=45, hours=7, seconds=3))
        propose(cast)
        at = NOW.replace(hour=hour)
        times = {"time": own_time("connection", at), "day": own_day("connection", at)}

        row = BillingRequest.objects.annotate(**times).get()

        connection = Connection.objects.get(pk=cast.northwind_bluebird.pk)
        assert row.time == connection.own_time(at)
        assert row.day == connection.day_of(connection.own_time(at))


class TestWorkInTheBackground:
    """Tasks know real time alone; each connection adds its own distance."""

    def test_bills_what_is_due_on_the_connections_own_day(self, cast, settings):
        settings.IS_DEMO = True
        agree(cast)
        theirs = BillingRequest.propose(
            Proposal(cast.contoso_basic), connection=cast.contoso_fabrikam, by=cast.oscar, at=NOW
        )
        theirs.approve(by=cast.fay, seal=theirs.seal, at=NOW)
        put_ahead(cast.northwind_bluebird, MONTH)
        renewal = NOW + MONTH

        assert [bill_due(at=NOW), bill_due(at=NOW)] == [1, 0]

        invoice = issued(cast)[-1]
        assert (invoice.issued_at, invoice.issue_date) == (renewal, renewal.date())
        assert cast.contoso_fabrikam.invoices.count() == 1

    def test_looks_at_no_row_that_is_not_due(self, cast, django_assert_num_queries, settings):
        settings.IS_DEMO = True
        agree(cast)
        put_ahead(cast.revampd_northwind, 10 * MONTH)

        # One for the furthest clock, one for subscriptions, one for charges; nothing is locked.
        with django_assert_num_queries(3):
            assert bill_due(at=NOW) == 0
        assert Subscription.objects.due(own_day("connection", NOW)).count() == 0

    def test_expires_and_reminds_by_the_connections_own_time(self, cast):
        request = propose(cast)
        almost = request.expires_at - NOW - timedelta(hours=1)

        assert [remind_of_pending(at=NOW), expire_overdue(at=NOW)] == [0, 0]
        put_ahead(cast.northwind_bluebird, almost)
        assert [remind_of_pending(at=NOW), expire_overdue(at=NOW)] == [1, 0]
        put_ahead(cast.northwind_bluebird, almost + timedelta(hours=1))
        assert [remind_of_pending(at=NOW), expire_overdue(at=NOW)] == [0, 1]

        request.refresh_from_db()
        assert request.reminded_at == NOW + almost
        assert request.decided_at == request.expires_at
