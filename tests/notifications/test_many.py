"""A hundred thousand notifications of one person: as many questions as for a handful."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from billing import events as billing
from connections.models import Event
from notifications.bell import bell_of
from notifications.draining import drain_events
from notifications.models import Notification
from tests.cast import Cast, assemble
from tests.conftest import emptied_afterwards, without_triggers
from tests.reading import reading

MANY = 100_000
AT_MOST = 8  # questions a page
TABLE = Notification._meta.db_table

pytestmark = pytest.mark.xdist_group("many notifications")  # built once

TOLD = """
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
"""


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(emptied_afterwards())
        yield assemble()


@pytest.fixture(scope="module")
def crowd(cast: Cast) -> None:
    """All of Ben's, in three categories, a third of them unread."""
    event = billing.request_withdrawn.record(
        cast.northwind_bluebird, by=cast.noah, at=timezone.now(), organization=cast.northwind,
        connection=cast.northwind_bluebird, item="Offer", provider="Northwind Agency",
    )  # fmt: skip
    drain_events()
    owner = connections["owner"]
    with without_triggers(owner, Event, Notification), owner.cursor() as cursor:
        cursor.execute(TOLD, [MANY, event.pk, event.pk, cast.ben.pk])
        cursor.execute("VACUUM ANALYZE notifications_notification, connections_event")


class TestHundredThousand:
    def test_are_listed_by_few_questions(self, cast, crowd, as_):
        browser, listed = as_(cast.ben), "/notifications/"
        own = f"?connection={cast.northwind_bluebird.pk}"
        browser.get(listed)  # puts the session into the cache

        for asked in (
            "",
            "?unread=yes",
            "?category=SUPPORT",
            own,
            f"{own}&unread=yes",
            "?page=900",
        ):
            found = reading(browser, f"{listed}{asked}")
            assert len(found.page.context["entries"]) == 25, asked
            assert found.questions <= AT_MOST, asked
            # At most to count them, if they are nearly all that the table has.
            assert found.whole.get(TABLE, 0) <= 1, asked
            assert "connections_event" not in found.whole, asked

    def test_leave_the_bell_cheap(self, cast, crowd, as_):
        browser, version = as_(cast.ben), bell_of(cast.ben).version
        bell = "/notifications/bell/"
        browser.get(bell)

        for path, status in ((f"{bell}?version={version}", 204), (bell, 200)):
            found = reading(browser, path)
            assert (found.page.status_code, found.questions) == (status, 2)
            assert TABLE not in found.whole

    def test_are_all_there_and_all_read_at_once(self, cast, crowd, as_):
        mine = Notification.objects.of(cast.ben)
        with transaction.atomic():
            assert as_(cast.ben).post("/notifications/reading/").status_code == 303

            assert mine.count() >= MANY
            assert not mine.unread().exists()
            transaction.set_rollback(True)  # for the tests that come after it
