"""A change that is approved for the next cycle: until then, what ran before runs on."""

from datetime import UTC, date, datetime

import pytest

from billing.models import BillingRequest, Subscription
from billing.models.proposals import Proposal
from billing.pricing import Timing
from tests.cast import Cast

START = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEXT_CYCLE = date(2026, 12, 10)


def agree(cast: Cast, item, at: datetime, **details) -> BillingRequest:
    proposal = Proposal(item, **details)
    request = BillingRequest.propose(
        proposal, connection=cast.northwind_bluebird, by=cast.noah, at=at
    )
    request.approve(by=cast.ben, seal=request.seal, at=at)
    return request


@pytest.fixture
def scheduled(cast: Cast) -> Cast:
    """Bluebird has Growth, and Scale from its next cycle on."""
    agree(cast, cast.growth, START)
    agree(cast, cast.scale, START, timing=Timing.NEXT_CYCLE)
    return cast


class TestScheduledChange:
    def test_leaves_the_present_plan_running_until_its_day(self, scheduled: Cast) -> None:
        running = Subscription.running_on(scheduled.northwind_bluebird)
        each = Subscription.running_on_each([scheduled.northwind_bluebird])
        assert running == each[scheduled.northwind_bluebird.pk]
        for day, name in ((date(2026, 12, 9), "Growth"), (NEXT_CYCLE, "Scale")):
            plan = running.plan_on(day)
            assert plan is not None
            assert plan.name == name

    def test_bills_only_the_new_plan_from_then_on(self, scheduled: Cast) -> None:
        upcoming = Subscription.running_on(scheduled.northwind_bluebird).upcoming()
        assert [charge.text for charge in upcoming] == ["Scale, 10 Dec 2026 – 9 Jan 2027"]

    def test_lets_an_add_on_join_meanwhile(self, scheduled: Cast) -> None:
        agree(scheduled, scheduled.phone_numbers, LATER, quantity=2)
        upcoming = Subscription.running_on(scheduled.northwind_bluebird).upcoming()
        assert [str(charge.amount) for charge in upcoming] == ["$297.00", "$3.34", "$5.00"]

    def test_can_be_undone_by_proposing_what_runs_today(self, scheduled: Cast) -> None:
        agree(scheduled, scheduled.growth, LATER)
        running = Subscription.running_on(scheduled.northwind_bluebird)
        assert [charge.text for charge in running.upcoming()] == [
            "Unused part of Growth, 20 Nov – 9 Dec 2026 (20 of 30 days)",
            "Growth, 20 Nov – 9 Dec 2026 (20 of 30 days)",
            "Growth, 10 Dec 2026 – 9 Jan 2027",
        ]
