"""From events to notifications: who is told, as whose member, in which words, exactly once."""

from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from billing import events as billing
from connections import events as people
from connections.kinds import KINDS, Category, EventKind, Telling
from connections.models import Event, Outbox
from notifications.draining import BATCH, drain_events
from notifications.models import Delivery, Notification
from tests.cast import Cast

AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_waits(cast):
    drain_events()


def record(cast: Cast, kind: EventKind, by=None, connection=None, **facts) -> Event:
    connection = connection or cast.northwind_bluebird
    return kind.record(
        connection, by=by, at=AT, organization=connection.provider, connection=connection, **facts
    )


def told(event: Event) -> set[str]:
    drain_events()
    return {row.recipient.get_short_name() for row in event.notifications.all()}


def mailed(event: Event) -> set[str]:
    return {delivery.address.split("@")[0].title() for delivery in event.deliveries.all()}


@pytest.fixture
def kind():
    """`kind(...)` lists a kind of event for the length of a test."""
    listed = []

    def make(**details) -> EventKind:
        made = EventKind("test.happened", "did it", category=Category.ACCOUNT, **details)
        listed.append(made.code)
        return made

    yield make
    for code in listed:
        del KINDS[code]


class TestAudience:
    def test_is_everybody_of_the_side_who_may_decide(self, cast):
        event = record(cast, billing.request_withdrawn, by=cast.noah)

        assert told(event) == {"Ben", "Bella", "Dora"}

    def test_is_every_role_where_the_kind_says_so(self, cast):
        event = record(cast, people.connection_activated, by=cast.ben)

        assert told(event) == {"Maya", "Noah", "Dana", "Vera", "Dora"}

    def test_is_owners_of_the_organization_for_what_concerns_its_members(self, cast):
        event = record(cast, people.member_changed, by=None)

        assert told(event) == {"Maya"}
        assert event.notifications.get().side == Notification.Side.MEMBER

    def test_leaves_the_actor_out(self, cast):
        event = record(cast, billing.request_withdrawn, by=cast.dora)

        assert told(event) == {"Ben", "Bella"}

    def test_leaves_neighbours_out(self, cast):
        event = record(cast, billing.request_expired)

        assert told(event).isdisjoint({"Oscar", "Fay", "Rhea", "Zed"})

    def test_tells_a_person_on_both_sides_once_as_the_provider(self, cast):
        event = record(cast, billing.request_expired)

        assert told(event) == {"Maya", "Noah", "Dora", "Ben", "Bella"}
        dora = event.notifications.get(recipient=cast.dora)
        assert (dora.side, dora.organization) == (Notification.Side.PROVIDER, cast.northwind)

    def test_gives_the_actor_a_receipt_that_is_read_and_not_mailed(self, cast):
        event = record(cast, billing.request_approved, by=cast.ben)

        assert told(event) == {"Maya", "Noah", "Dora", "Ben", "Bella"}
        read = event.notifications.exclude(read_at=None)
        assert [row.recipient for row in read] == [cast.ben]
        assert mailed(event) == {"Maya", "Noah", "Dora", "Bella"}

    def test_mails_nobody_whose_account_is_closed(self, cast):
        cast.bella.is_active = False
        cast.bella.save()
        event = record(cast, billing.request_withdrawn, by=cast.noah)

        assert told(event) == {"Ben", "Bella", "Dora"}
        assert mailed(event) == {"Ben", "Dora"}


class TestWords:
    def test_are_those_of_the_side_with_the_facts_in_them(self, cast):
        event = record(
            cast, billing.request_approved, by=cast.ben,
            customer="Bluebird Clinic", item="Growth", decided_by="Ben Tester", price="$149.00",
        )  # fmt: skip
        drain_events()

        titles = {row.side: row.title for row in event.notifications.all()}
        assert titles == {
            "PROVIDER": "Bluebird Clinic approved Growth",
            "CUSTOMER": "Ben Tester approved Growth",
        }

    def test_name_instants_in_the_time_zone_of_each_reader(self, cast, kind):
        cast.ben.time_zone = "America/New_York"
        cast.ben.save()
        event = record(cast, kind(customer=Telling("Due {due}")), due=AT)
        drain_events()

        titles = {row.recipient.get_short_name(): row.title for row in event.notifications.all()}
        assert titles == {
            "Ben": "Due 10 Nov 2026, 04:30 EST",
            "Bella": "Due 10 Nov 2026, 09:30 UTC",
            "Dora": "Due 10 Nov 2026, 09:30 UTC",
        }

    def test_are_cut_where_the_column_ends(self, cast, kind):
        event = record(cast, kind(customer=Telling("{name}")), name="x" * 400)
        drain_events()

        title = event.notifications.first().title
        assert len(title) == 250
        assert title.endswith("x…")


class TestCategory:
    def test_is_that_of_the_kind(self, cast):
        event = record(cast, billing.request_withdrawn)
        drain_events()

        assert event.notifications.first().category == Category.BILLING_MANAGEMENT

    def test_is_revampd_billing_where_revampd_is_the_provider(self, cast):
        event = record(cast, billing.request_withdrawn, connection=cast.revampd_northwind)
        drain_events()

        assert event.notifications.first().category == Category.REVAMPD_BILLING

    def test_stays_account_where_revampd_is_the_provider(self, cast):
        event = record(cast, people.connection_activated, connection=cast.revampd_northwind)
        drain_events()

        assert event.notifications.first().category == Category.ACCOUNT


class TestStranger:
    def test_is_mailed_at_the_address_in_the_facts(self, cast):
        event = record(cast, people.invitation_sent, by=cast.maya, email="new@example.com")
        drain_events()

        delivery = event.deliveries.get()
        assert (delivery.address, delivery.notification) == ("new@example.com", None)
        assert not event.notifications.exists()


class TestDrain:
    def test_empties_the_outbox_and_has_nothing_left_to_do(self, cast):
        event = record(cast, billing.request_withdrawn)

        assert drain_events() == 1
        assert drain_events() == 0
        assert not Outbox.objects.filter(event=event).exists()

    def test_tells_nobody_twice_of_an_event_that_waits_again(self, cast):
        event = record(cast, billing.request_withdrawn)
        drain_events()
        Outbox.objects.create(event=event)
        drain_events()

        assert event.notifications.count() == 3
        assert event.deliveries.count() == 3

    def test_takes_more_than_one_batch(self, cast):
        waiting = [record(cast, people.member_changed) for _ in range(BATCH + 1)]

        assert drain_events() == len(waiting)
        assert Notification.objects.filter(event__in=waiting).count() == len(waiting)

    def test_asks_the_database_as_often_for_many_events_as_for_one(self, cast):
        def queries(count: int) -> int:
            for _ in range(count):
                record(cast, billing.request_approved, by=cast.ben)
            with CaptureQueriesContext(database) as captured:
                drain_events()
            return len(captured)

        assert queries(1) == queries(50)


class TestEventThatCannotBeTold:
    def poison(self, cast, code="gone.away") -> Event:
        event = Event.objects.create(
            code=code,
            organization=cast.northwind,
            connection=cast.northwind_bluebird,
            subject_type="connections.connection",
            subject_id=str(cast.northwind_bluebird.pk),
        )
        Outbox.objects.create(event=event)
        return event

    def test_is_set_aside_and_keeps_nobody_else_waiting(self, cast, caplog):
        poison = self.poison(cast)
        event = record(cast, billing.request_withdrawn)
        drain_events()

        assert event.notifications.count() == 3
        assert "unknown" in Outbox.objects.get(event=poison).problem
        assert "gone.away" in caplog.text

    def test_is_told_once_the_cause_is_mended_and_it_is_released(self, cast, kind):
        poison = self.poison(cast, code="test.happened")
        drain_events()
        kind(customer=Telling("It happened"))
        assert drain_events() == 0
        Outbox.objects.get(event=poison).release()

        assert told(poison) == {"Ben", "Bella", "Dora"}

    @pytest.mark.parametrize(
        ("details", "problem"),
        [
            ({"customer": Telling("{broken!z}")}, "ValueError"),
            ({"customer": Telling("x"), "link": lambda event: event.facts["no"]}, "KeyError"),
            ({"mail_to": "email", "mailed": Telling("x")}, "KeyError"),
            ({"mail_to": "email"}, "Untellable"),
        ],
    )
    def test_says_what_is_wrong_with_its_words_link_or_address(self, cast, kind, details, problem):
        event = record(cast, kind(**details))
        drain_events()

        assert Outbox.objects.get(event=event).problem.startswith(problem)
        assert not event.notifications.exists()

    def test_does_not_end_the_drain_when_a_whole_batch_is_bad(self, cast):
        for _ in range(BATCH):
            self.poison(cast)
        event = record(cast, billing.request_withdrawn)

        assert drain_events() == BATCH + 1
        assert event.notifications.count() == 3


class TestNotification:
    def test_is_inserted_once_by_rule_of_the_database(self, cast):
        event = record(cast, billing.request_withdrawn)
        drain_events()
        row = event.notifications.first()
        row.pk = None

        with pytest.raises(Exception, match="notification_once"):
            row.save(force_insert=True)


class TestDelivery:
    def test_waits_for_its_worker_at_once(self, cast):
        event = record(cast, billing.request_withdrawn)
        drain_events()

        assert {delivery.state for delivery in event.deliveries.all()} == {Delivery.State.QUEUED}
        assert Delivery.objects.due(datetime.now(UTC)).filter(event=event).count() == 3
