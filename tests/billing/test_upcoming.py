"""The upcoming invoice: what the run issues, to the cent and the day, without issuing it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import Invoice, UsageRecord
from billing.models.due import upcoming
from billing.pricing import Timing
from tests.billing.acts import lines
from tests.billing.deals import run
from tests.billing.settling import add_card, grant


def today():
    return timezone.now().date()


def use(cast, item, quantity: int) -> None:
    UsageRecord.objects.create(
        connection=cast.northwind_bluebird,
        item=item,
        measure="BOOKING",
        used_on=item.start_date,
        quantity=quantity,
        key=f"{quantity} bookings",
        entered_by=cast.noah,
        entered_at=timezone.now(),
    )


@pytest.fixture
def full(cast):
    """A month with everything in it: usage, an add-on, a charge that is due by then, a change."""
    version = cast.growth.plan.publish(
        by=cast.maya, at=timezone.now(), interval="MONTH", base_price=100_00, booking_fee=2_00
    )
    item = run(cast, version).items.get()
    use(cast, item, 7)
    run(cast, cast.phone_numbers, quantity=3)
    run(cast, cast.scale, timing=Timing.NEXT_CYCLE)
    return cast


class TestUpcoming:
    def test_is_what_the_run_issues(self, full):
        cast = full
        grant(cast, 30_00)
        renewal = upcoming(cast.northwind_bluebird, today())
        [draft] = renewal.drafts
        before = Invoice.objects.count()

        bill_due(draft.on, at=timezone.now())

        issued = cast.northwind_bluebird.invoices.newest_first().first()
        assert Invoice.objects.count() == before + 1
        assert lines(issued) == [(line.description, line.amount) for line in draft.lines]
        assert any("7 bookings" in line.description for line in draft.lines)
        assert any("Scale" in line.description for line in draft.lines)
        assert (issued.total, issued.credited, issued.issue_date, issued.due_date) == (
            draft.total,
            draft.credited,
            draft.on,
            draft.due_date,
        )

    def test_is_a_one_time_charge_that_comes_before_the_period(self, cast):
        run(cast)
        day = today() + timedelta(days=9)
        run(cast, cast.setup, timing=Timing.DATE, effective_date=day)

        [draft] = upcoming(cast.northwind_bluebird, today()).drafts

        assert (draft.on, draft.total) == (day, 400_00)
        bill_due(day, at=timezone.now())
        issued = cast.northwind_bluebird.invoices.newest_first().first()
        assert (issued.issue_date, issued.total) == (day, 400_00)

    def test_takes_a_charge_of_the_same_day_along(self, cast):
        run(cast)
        [draft] = upcoming(cast.northwind_bluebird, today()).drafts
        run(cast, cast.setup, timing=Timing.DATE, effective_date=draft.on)

        [draft] = upcoming(cast.northwind_bluebird, today()).drafts

        assert draft.total == 549_00

    def test_writes_nothing(self, full):
        invoices, usage = Invoice.objects.count(), UsageRecord.objects.filter(line=None).count()

        first, second = (upcoming(full.northwind_bluebird, today()) for _ in range(2))

        assert first.drafts[0].lines == second.drafts[0].lines
        assert Invoice.objects.count() == invoices
        assert UsageRecord.objects.filter(line=None).count() == usage

    def test_is_none_where_nothing_is_to_come(self, cast):
        assert upcoming(cast.northwind_bluebird, today()) is None


class TestPlanPage:
    def path(self, cast):
        return reverse("billing:plan", args=[cast.northwind_bluebird.pk])

    def test_says_what_the_wallet_and_the_card_will_pay(self, full, as_):
        cast = full
        grant(cast, 400_00)
        add_card(cast)
        runs = as_(cast.ben).get(self.path(cast)).context["runs"]
        page = as_(cast.ben).get(self.path(cast)).content.decode()

        assert f"Visa ending 4242 is charged {runs.charged}" in page or not runs.charged
        assert runs.from_wallet + runs.charged == runs.upcoming_total
        assert "7 bookings" in page
        assert "From the wallet" in page

    def test_asks_for_a_method_where_there_is_none(self, cast, as_):
        run(cast)

        assert (
            "There is no payment method yet." in as_(cast.ben).get(self.path(cast)).content.decode()
        )
        assert (
            "Bluebird Clinic has no payment method yet."
            in as_(cast.maya).get(self.path(cast)).content.decode()
        )
