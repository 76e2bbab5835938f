"""A hundred thousand notifications of one person: as many questions as for a handful."""

from time import perf_counter

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import events as billing
from notifications.bell import bell_of
from notifications.draining import drain_events
from notifications.models import Notification
from tests.billing.deals import queries

MANY = 100_000
# Generous on a busy machine: what an index does not carry takes seconds.
AT_MOST = 1.5  # seconds a page


@pytest.fixture
def crowd(cast):
    """All of Ben's, in three categories, a third of them unread."""
    event = billing.request_withdrawn.record(
        cast.northwind_bluebird, by=cast.noah, at=timezone.now(), organization=cast.northwind,
        connection=cast.northwind_bluebird, item="Offer", provider="Northwind Agency",
    )  # fmt: skip
    drain_events()
    with connections["default"].cursor() as cursor:
        cursor.execute(
            """
            WITH told AS (
                INSERT INTO connections_event (at, recorded_at, code, organization_id,
                    connection_id, actor_id, subject_type, subject_id, facts, origin)
                SELECT at, recorded_at, code, organization_id, connection_id, actor_id,
                    subject_type, subject_id, facts, origin
                FROM connections_event, generate_series(2, %s) WHERE id = %s RETURNING id
            )
            INSERT INTO notifications_notification (event_id, recipient_id, organization_id,
                connection_id, side, category, title, body, created_at, read_at)
            SELECT told.id, recipient_id, organization_id, connection_id, side,
                (ARRAY['BILLING_MANAGEMENT', 'SUPPORT', 'ACCOUNT'])[1 + told.id %% 3], title, body,
                created_at, CASE WHEN told.id %% 3 > 0 THEN created_at END
            FROM told, notifications_notification pattern
            WHERE pattern.event_id = %s AND recipient_id = %s
            """,
            [MANY, event.pk, event.pk, cast.ben.pk],
        )
        cursor.execute("ANALYZE notifications_notification, connections_event")


class TestHundredThousand:
    def test_cost_at_most_eight_questions_and_no_time(self, cast, crowd, as_, record_property):
        browser, listed = as_(cast.ben), "/notifications/"
        own = f"?connection={cast.northwind_bluebird.pk}"
        asked = ("", "?unread=yes", "?category=SUPPORT", own, f"{own}&unread=yes", "?page=900")

        for path in (f"{listed}{query}" for query in asked):
            assert queries(browser, path) <= 8, path
            begun = perf_counter()
            page = browser.get(path)
            took = perf_counter() - begun
            record_property(path, round(took * 1000))
            assert len(page.context["entries"]) == 25, path
            assert took < AT_MOST, path

    def test_leave_the_bell_cheap(self, cast, crowd, as_, record_property):
        browser, version = as_(cast.ben), bell_of(cast.ben).version
        idle = f"/notifications/bell/?version={version}"
        browser.get(idle)  # puts the session into the cache

        with CaptureQueriesContext(connections["default"]) as captured:
            assert browser.get(idle).status_code == 204
        assert len(captured) == 2
        assert queries(browser, "/notifications/bell/") == 2
        begun = perf_counter()
        assert browser.get(idle).status_code == 204
        record_property("bell", round((perf_counter() - begun) * 1000))
        assert perf_counter() - begun < AT_MOST

    def test_are_all_there_and_all_read_at_once(self, cast, crowd, as_):
        mine = Notification.objects.of(cast.ben)
        assert mine.count() >= MANY

        assert as_(cast.ben).post("/notifications/reading/").status_code == 303

        assert mine.count() >= MANY
        assert not mine.unread().exists()
