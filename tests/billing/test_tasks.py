"""What Celery calls: each task finds what is due and can be run again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from billing import events, tasks
from billing.models import BillingRequest
from connections.models import Organization
from tests.billing.acts import NOW, agree, happened, issued, propose
from tests.billing.payments.acts import add_card, assert_books_agree


@pytest.fixture
def clock(monkeypatch):
    """`clock(instant)` sets what the tasks take for now."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr("revampd.kit.clock.timezone.now", lambda: instant)

    return set_to


class TestExpireRequests:
    def test_closes_what_is_overdue_and_nothing_else(self, cast, clock):
        soon = propose(cast, expires_at=NOW + timedelta(days=1))
        later = propose(cast)
        clock(NOW + timedelta(days=1))

        assert [tasks.expire_requests(), tasks.expire_requests()] == [1, 0]
        states = dict(BillingRequest.objects.values_list("id", "state"))
        assert states == {soon.pk: "EXPIRED", later.pk: "PENDING"}


class TestRemindOfRequests:
    def test_reminds_once(self, cast, clock):
        request = propose(cast)
        clock(request.expires_at - timedelta(days=2))

        assert [tasks.remind_of_requests(), tasks.remind_of_requests()] == [1, 0]
        assert happened(cast)["billing_request.reminded"] == 1


class TestRunCycle:
    def test_bills_what_is_due_where_the_provider_is(self, cast, clock):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone="America/Los_Angeles")
        agree(cast)
        renewal = datetime(2026, 12, 10, 8, tzinfo=UTC)

        clock(renewal - timedelta(seconds=1))
        assert tasks.run_cycle() == 0
        clock(renewal)
        assert [tasks.run_cycle(), tasks.run_cycle()] == [1, 0]
        assert len(issued(cast)) == 2

    def test_of_an_empty_house_does_nothing(self, cast):
        assert tasks.run_cycle() == tasks.expire_requests() == tasks.remind_of_requests() == 0


class TestPayments:
    def test_are_collected_and_told_of_by_webhook(self, cast, clock):
        add_card(cast.northwind_bluebird, cast.ben, "delayed")
        agree(cast)
        clock(NOW)
        assert [tasks.collect_payments(), tasks.collect_payments()] == [1, 0]

        clock(NOW + timedelta(minutes=6))
        assert [tasks.deliver_sandbox_webhooks(), tasks.work_off_webhooks()] == [3, 3]

        assert issued(cast)[0].state == "PAID"
        assert_books_agree()

    def test_are_asked_about_when_no_webhook_comes(self, cast, clock):
        add_card(cast.northwind_bluebird, cast.ben, "answer_lost")
        agree(cast)
        clock(NOW)
        tasks.collect_payments()

        clock(NOW + timedelta(minutes=2))
        assert [tasks.reconcile_payments(), tasks.reconcile_payments()] == [1, 0]
        assert tasks.settle_refunds() == 0

    def test_have_tasks_for_everything_that_rings(self):
        rung = {getattr(events, name) for name in dir(events) if name.endswith("_TASK")}
        scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

        assert rung <= scheduled
