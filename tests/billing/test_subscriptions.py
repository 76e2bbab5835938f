"""What runs, in the database: the same as the pure functions say, for any history."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, InvoiceLine, Plan, Subscription
from billing.models.proposals import Proposal
from billing.pricing import Interval, Item, ItemKind, Timing, preview
from connections.models import Event
from revampd.kit.errors import DomainError
from tests.billing.acts import NOW, agree, bill, day, noon, propose
from tests.billing.pricing.books import Books, Step, steps
from tests.cast import Cast


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of an example stays."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


class History:
    """The same offers to Bluebird in the database, and to a connection on paper."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.connection = cast, cast.revampd_bluebird
        self.paper = Books()
        self.approved: list[BillingRequest] = []

    def play(self, first: date, played: list[Step]) -> None:
        on = first
        for step in [Step(0, ItemKind.PLAN, 14_900, 1, Interval.MONTH, Timing.NOW, 0), *played]:
            on += timedelta(step.wait)
            self.bill(on)
            self.propose(step, on)
        self.bill(on + timedelta(100))

    def bill(self, on: date) -> None:
        bill_due(on, at=self.at(on))
        self.paper.bill_until(on)

    def propose(self, step: Step, on: date) -> None:
        offered = Proposal(
            self.item(step),
            quantity=step.quantity if step.kind == ItemKind.ADD_ON else 1,
            timing=step.timing,
            effective_date=on + timedelta(step.ahead) if step.timing == Timing.DATE else None,
        )
        try:
            request = BillingRequest.propose(
                offered, connection=self.connection, by=self.cast.rhea, at=self.at(on)
            )
        except DomainError as refusal:
            event(f"refused: {refusal.sentence[:40]}")
            return
        event(f"approved: {step.kind} {step.timing}")
        said = request.preview(on)
        assert said.first_invoice.minor == request.terms["first_invoice"]["amount"] >= 0
        assert figures(said) == figures(preview(request.offer, self.paper.running, on))
        request.approve(by=self.cast.ben, seal=request.seal, at=self.at(on))
        self.paper.approve(request.offer, on)
        self.approved.append(request)

    def item(self, step: Step):
        name = f"{step.kind} {len(self.approved)} {step.price}"
        seller = {"provider": self.cast.revampd, "by": self.cast.rhea, "name": name}
        if step.kind == ItemKind.ADD_ON:
            return AddOn.objects.filter(name=name).first() or AddOn.offer(
                **seller, unit_price=max(step.price, 1)
            )
        plan = Plan.objects.filter(name=name).first() or Plan.offer(**seller)
        return plan.publish(
            by=self.cast.rhea, at=NOW, interval=step.interval, base_price=step.price
        )

    @staticmethod
    def at(on: date) -> datetime:
        return datetime.combine(on, time(12), UTC)


def figures(said) -> tuple:
    amounts = (said.today, said.first_invoice, said.recurring, said.new)
    return (*amounts, said.first_invoice_day, sorted(line.text for line in said.lines))


class TestBill:
    @given(
        first=st.one_of(
            st.sampled_from([date(2024, 2, 29), date(2026, 1, 31), date(2026, 1, 30)]),
            st.dates(date(2024, 1, 1), date(2026, 12, 31)),
        ),
        played=st.lists(steps, max_size=5),
    )
    @example(  # A later invoice, not the first, would have given back more than it charged.
        first=date(2024, 2, 29),
        played=[
            Step(0, ItemKind.ADD_ON, 255, 1, Interval.MONTH, Timing.NOW, 0),
            Step(266, ItemKind.PLAN, 0, 3, Interval.YEAR, Timing.DATE, 3),
            Step(1, ItemKind.ADD_ON, 0, 3, Interval.MONTH, Timing.NOW, 0),
            Step(0, ItemKind.PLAN, 0, 1, Interval.MONTH, Timing.NOW, 2),
            Step(1, ItemKind.PLAN, 2809, 1, Interval.MONTH, Timing.DATE, 2),
        ],
    )
    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_issues_just_what_paper_says(self, cast, first, played):
        with undone():
            history = History(cast)
            history.play(first, played)

            invoices = history.connection.invoices.order_by("number")
            in_database = [
                (invoice.issue_date, sorted(invoice.lines.values_list("description", "amount")))
                for invoice in invoices
            ]
            on_paper = [
                (on, sorted((charge.text, charge.amount.minor) for charge in charges))
                for on, charges in history.paper.invoices
                if charges
            ]
            assert in_database == on_paper
            assert all(invoice.total >= 0 for invoice in invoices)
            assert_traceable(history)

    def test_advances_by_one_period(self, cast):
        agree(cast)
        subscription = Subscription.objects.get()

        bill(cast.northwind_bluebird, noon(2026, 12, 10))

        subscription.refresh_from_db()
        assert subscription.next_invoice_date == day("2027-01-10")
        assert {item.billed_to for item in subscription.items.all()} == {day("2027-01-10")}


def assert_traceable(history: History) -> None:
    """Every line names an approved request of the same connection, and its item's own."""
    for line in InvoiceLine.objects.filter(connection=history.connection).select_related(
        "request", "item", "invoice"
    ):
        assert line.request.is_approved
        assert line.request in history.approved
        assert line.item is None or line.item.request_id == line.request_id
        assert line.invoice.connection_id == line.request.connection_id


class TestRunning:
    def test_is_empty_before_the_first_plan(self, cast):
        running = Subscription.running_on(cast.northwind_bluebird)

        assert (running.items, running.next_invoice) == ((), None)

    def test_still_has_the_plan_that_ends_inside_the_billed_period(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.DATE, effective_date=day("2026-12-20"))
        bill_due(day("2026-12-10"), at=noon(2026, 12, 10))

        running = Subscription.running_on(cast.northwind_bluebird)

        plans = [running.plan_on(day(text)) for text in ("2026-12-19", "2026-12-20")]
        assert [plan.name for plan in plans if plan] == ["Growth", "Scale"]

    def test_takes_an_add_on_in_the_days_before_such_a_change(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.DATE, effective_date=day("2026-12-20"))
        bill_due(day("2026-12-10"), at=noon(2026, 12, 10))

        agree(cast, cast.phone_numbers, at=noon(2026, 12, 15))

        items = Subscription.objects.get().items.filter(kind="ADD_ON")
        assert [(i.start_date, i.anchor_date) for i in items] == [
            (day("2026-12-15"), day("2026-11-10"))
        ]

    def test_forgets_what_is_long_settled(self, cast):
        agree(cast)
        agree(cast, cast.scale, at=noon(2026, 11, 20))
        bill_due(day("2028-02-10"), at=noon(2028, 2, 10))

        running = Subscription.running_on(cast.northwind_bluebird)

        assert [item.name for item in running.items] == ["Scale"]

    def test_of_many_connections_is_the_same_as_of_each(self, cast):
        agree(cast)
        agree(cast, cast.phone_numbers)
        agree(cast, cast.growth_yearly, timing=Timing.NEXT_CYCLE)
        bound = [cast.northwind_bluebird, cast.contoso_fabrikam]

        each = Subscription.running_on_each(bound)

        assert each == {bound[0].pk: Subscription.running_on(bound[0])}


class TestCarryOut:
    def test_keeps_usage_fees_that_were_approved(self, cast):
        version = cast.growth.plan.publish(
            by=cast.maya, at=NOW, interval="MONTH", base_price=50_00, booking_fee=25, transfer_fee=9
        )

        agree(cast, version)

        item = Subscription.objects.get().items.get()
        assert (item.booking_fee, item.transfer_fee) == (25, 9)

    def test_leaves_the_authority_of_add_ons_that_move_along(self, cast):
        agree(cast)
        numbers = agree(cast, cast.phone_numbers, quantity=5)
        yearly = agree(cast, cast.growth_yearly, at=noon(2026, 11, 20))

        moved = Subscription.objects.get().items.get(kind="ADD_ON", interval="YEAR")
        assert moved.request == numbers
        assert moved.as_item().price.minor == 5 * 2_50 * 12
        line = moved.lines.get()
        assert (line.request, line.amount) == (numbers, 150_00)
        assert yearly.items.get().kind == "PLAN"

    @pytest.mark.parametrize(
        ("name", "details", "code"),
        [
            ("scale", {}, "subscription.changed"),
            ("growth_yearly", {"timing": Timing.NEXT_CYCLE}, "subscription.changed"),
            ("phone_numbers", {}, "add_on.joined"),
        ],
    )
    def test_records_what_changes_and_from_when(self, cast, name, details, code):
        agree(cast)
        agree(cast, getattr(cast, name), at=noon(2026, 11, 20), **details)

        [found] = Event.objects.filter(connection=cast.northwind_bluebird, code=code)
        starts = "2026-12-10" if details else "2026-11-20"
        assert found.facts["start"] == {"date": starts}
        assert found.facts["next_invoice"] == {"date": "2026-12-10"}

    def test_keeps_one_subscription_through_all_changes(self, cast):
        agree(cast)
        for item in (cast.scale, cast.growth_yearly):
            agree(cast, item, at=noon(2026, 11, 20))
        propose(cast, cast.growth, timing=Timing.NEXT_CYCLE)

        assert Subscription.objects.filter(connection=cast.northwind_bluebird).count() == 1


class TestItem:
    def test_is_the_value_that_pricing_takes(self, cast):
        agree(cast)

        row = Subscription.objects.get().items.get()

        assert row.as_item() == Item(
            kind=ItemKind.PLAN,
            name="Growth",
            unit_price=row.unit_money,
            quantity=1,
            interval=Interval.MONTH,
            anchor=day("2026-11-10"),
            start=day("2026-11-10"),
            end=None,
            billed_to=day("2026-12-10"),
            key=row.pk,
            authority=row.request_id,
        )

    def test_carries_the_fees_that_were_approved(self, cast):
        version = cast.growth.plan.publish(
            by=cast.maya,
            at=NOW,
            interval="MONTH",
            base_price=100_00,
            booking_fee=2_00,
            transfer_fee=1_00,
        )

        request = agree(cast, version)

        row = Subscription.objects.get().items.get()
        item = row.as_item()
        assert (row.booking_fee, row.transfer_fee) == (2_00, 1_00)
        assert (item.booking_fee, item.transfer_fee) == (2_00, 1_00)
        assert (request.offer.booking_fee, request.offer.transfer_fee) == (2_00, 1_00)

    def test_is_found_by_day(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        items = Subscription.objects.get().items

        assert [item.name for item in items.on(day("2026-12-09"))] == ["Growth"]
        assert [item.name for item in items.on(day("2026-12-10"))] == ["Scale"]
        assert [item.name for item in items.after(day("2026-12-09"))] == ["Scale"]
