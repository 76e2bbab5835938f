"""What Revampd's customers do for themselves: Northwind's tier, and add-ons of both sides."""

from datetime import datetime, timedelta

import pytest

from billing.cycle import bill_due
from billing.models import AddOn, Plan, PlanVersion, SelfService, SubscriptionItem, TierUse, tier_of
from billing.models.catalog import NotOnSale
from billing.models.self_service import NothingToEnd, NothingToUndo
from billing.models.tiers import BelowUse, Use
from connections.models import Connection, Event, Organization
from notifications.draining import drain_events
from notifications.models import Notification
from revampd.kit.errors import Invalid, NotAllowed
from tests.billing.acts import NOW, TODAY, day, lines, noon
from tests.billing.partners import clinics, confirm
from tests.books import assert_books_agree
from tests.cast import Cast

RENEWAL = day("2026-12-10")


def tier(cast: Cast, name: str, price: int, **limits: int | None) -> PlanVersion:
    plan = Plan.offer(provider=cast.revampd, by=cast.rhea, name=name)
    return plan.publish(by=cast.rhea, at=NOW, interval="MONTH", base_price=price, **limits)


@pytest.fixture
def starter(cast: Cast) -> PlanVersion:
    return tier(cast, "Starter", 97_00, max_sub_orgs=2, max_campaigns=5)


@pytest.fixture
def pro(cast: Cast) -> PlanVersion:
    return tier(cast, "Pro", 297_00, max_sub_orgs=10)


@pytest.fixture
def numbers(cast: Cast) -> AddOn:
    return AddOn.offer(provider=cast.revampd, by=cast.rhea, name="Phone number", unit_price=3_00)


@pytest.fixture
def northwind(cast: Cast) -> SelfService:
    return SelfService(cast.revampd_northwind)


@pytest.fixture
def on_pro(northwind: SelfService, cast: Cast, pro: PlanVersion) -> SelfService:
    northwind.choose_tier(pro, by=cast.maya, at=NOW)
    return northwind


def more_sub_orgs(cast: Cast, number: int) -> None:
    """So many more that Northwind sells to."""
    for index in range(number):
        customer = Organization.found(kind="SUB_ORG", name=f"Customer {index}", by=cast.maya)
        opened = Connection.open(provider=cast.northwind, customer=customer, by=cast.maya)
        opened.activate(by=cast.maya, at=NOW)


def bill(on: str) -> int:
    return bill_due(day(on), at=noon(*map(int, on.split("-"))))


def invoices(service: SelfService) -> list[list[tuple[str, int]]]:
    return [lines(invoice) for invoice in service.connection.invoices.order_by("number")]


def running(service: SelfService) -> list[tuple[str, int, datetime | None]]:
    rows = SubscriptionItem.objects.filter(connection=service.connection).on(TODAY)
    return list(rows.order_by("name").values_list("name", "quantity", "end_date"))


class TestChooseTier:
    def test_starts_at_once_when_nothing_runs(self, cast, on_pro, pro):
        assert invoices(on_pro) == [[("Pro, 10 Nov – 9 Dec 2026", 297_00)]]
        assert tier_of(cast.northwind, TODAY) == pro

    def test_changes_with_the_next_cycle_as_the_preview_said(self, cast, on_pro, starter, pro):
        said = on_pro.preview_tier(starter, by=cast.maya, at=NOW).preview

        on_pro.choose_tier(starter, by=cast.maya, at=NOW)

        assert tier_of(cast.northwind, TODAY) == pro
        assert tier_of(cast.northwind, RENEWAL) == starter
        assert (said.today.minor, said.start) == (0, RENEWAL)
        assert bill("2026-12-10") == 1
        assert invoices(on_pro)[1:] == [[("Starter, 10 Dec 2026 – 9 Jan 2027", 97_00)]]
        assert said.first_invoice.minor == 97_00
        assert_books_agree(on_pro.connection)

    def test_takes_the_place_of_what_is_scheduled(self, cast, on_pro, starter):
        basic = tier(cast, "Basic", 47_00)
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)
        said = on_pro.preview_tier(basic, by=cast.maya, at=NOW)

        request = on_pro.choose_tier(basic, by=cast.maya, at=NOW)

        assert said.request.headline == request.headline == "Change from Pro to Basic"
        bill("2027-01-10")
        assert [text for [(text, _)] in invoices(on_pro)[1:]] == [
            "Basic, 10 Dec 2026 – 9 Jan 2027",
            "Basic, 10 Jan – 9 Feb 2027",
        ]

    def test_takes_the_place_of_a_cancellation(self, cast, on_pro, starter):
        on_pro.cancel(by=cast.maya, at=NOW)

        on_pro.choose_tier(starter, by=cast.maya, at=NOW)

        bill("2026-12-10")
        assert invoices(on_pro)[1:] == [[("Starter, 10 Dec 2026 – 9 Jan 2027", 97_00)]]

    def test_is_refused_below_use(self, cast, on_pro):
        more_sub_orgs(cast, 11)
        small = tier(cast, "Small", 97_00, max_sub_orgs=10, max_workflows=3)
        TierUse.report(connection=on_pro.connection, campaigns=1, workflows=4, at=NOW)

        for act in (on_pro.choose_tier, on_pro.preview_tier):
            with pytest.raises(BelowUse) as refusal:
                act(small, by=cast.maya, at=NOW)

        assert str(refusal.value) == ("12 Sub-Orgs, Small allows 10; 4 workflows, Small allows 3.")
        assert running(on_pro) == [("Pro", 1, None)]

    @pytest.mark.parametrize("name", ["dana", "vera", "rhea", "ben", "oscar"])
    def test_is_for_owners_and_billing_members_of_the_customer(self, cast, northwind, pro, name):
        with pytest.raises(NotAllowed):
            northwind.choose_tier(pro, by=getattr(cast, name), at=NOW)

    def test_needs_a_tier_on_sale(self, cast, northwind, pro):
        pro.retire(by=cast.rhea, at=NOW)

        with pytest.raises(NotOnSale):
            northwind.choose_tier(pro, by=cast.maya, at=NOW)


class TestHoldBack:
    def test_keeps_the_tier_when_use_has_grown_by_the_cycle(self, cast, on_pro, starter):
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)
        more_sub_orgs(cast, 2)

        bill("2026-12-10")

        assert invoices(on_pro)[1:] == [[("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00)]]
        event = Event.objects.get(code="tier.held")
        assert event.facts["excess"] == "3 Sub-Orgs, Starter allows 2"
        drain_events()
        told = Notification.objects.get(event=event, recipient=cast.maya)
        assert told.title == "You keep Pro"
        assert told.body.endswith("but it is too small: 3 Sub-Orgs, Starter allows 2.")
        bill("2027-01-10")
        assert len(invoices(on_pro)) == 3
        assert_books_agree(on_pro.connection)

    def test_counts_whom_an_import_has_still_to_invite(self, cast, on_pro, starter):
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)
        confirm(cast, clinics(2), at=NOW)
        assert Use.of(on_pro.connection).sub_orgs == 3

        bill("2026-12-10")

        assert invoices(on_pro)[1:] == [[("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00)]]
        with pytest.raises(BelowUse, match="3 Sub-Orgs, Starter allows 2"):
            on_pro.choose_tier(starter, by=cast.maya, at=noon(2026, 12, 11))

    def test_lets_a_tier_begin_that_is_large_enough(self, cast, on_pro, starter):
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)
        more_sub_orgs(cast, 1)

        bill("2026-12-10")
        more_sub_orgs_later = Organization.found(kind="SUB_ORG", name="Late", by=cast.maya)
        Connection.open(provider=cast.northwind, customer=more_sub_orgs_later, by=cast.maya)
        bill("2027-01-10")

        assert [text for [(text, _)] in invoices(on_pro)[1:]] == [
            "Starter, 10 Dec 2026 – 9 Jan 2027",
            "Starter, 10 Jan – 9 Feb 2027",
        ]
        assert not Event.objects.filter(code="tier.held").exists()


class TestCancel:
    def test_ends_everything_with_the_cycle_as_the_preview_said(self, cast, on_pro, numbers):
        on_pro.add(numbers, 3, by=cast.maya, at=NOW + timedelta(days=10))
        later = NOW + timedelta(days=11)
        said = on_pro.preview_cancellation(at=later)

        on_pro.cancel(by=cast.maya, at=later)

        assert said.end == RENEWAL
        assert [item.name for item in said.items] == ["Pro", "Phone number"]
        bill("2027-03-10")
        assert invoices(on_pro)[1:] == [
            [("3 × Phone number, 20 Nov – 9 Dec 2026 (20 of 30 days)", 6_00)]
        ]
        assert said.last_invoice.minor == 6_00
        assert tier_of(cast.northwind, RENEWAL) is None
        with pytest.raises(NothingToEnd):
            on_pro.cancel(by=cast.maya, at=noon(2027, 3, 11))

    def test_can_be_followed_by_a_new_beginning(self, cast, on_pro, starter):
        on_pro.cancel(by=cast.maya, at=NOW)
        bill("2026-12-10")

        on_pro.choose_tier(starter, by=cast.maya, at=noon(2026, 12, 15))

        assert invoices(on_pro)[1:] == [[("Starter, 15 Dec 2026 – 14 Jan 2027", 97_00)]]
        assert_books_agree(on_pro.connection)

    def test_is_nothing_that_a_partners_customer_can_do(self, cast):
        with pytest.raises(NotAllowed, match="changes through requests"):
            SelfService(cast.northwind_bluebird).cancel(by=cast.ben, at=NOW)


class TestKeep:
    def test_undoes_a_scheduled_change(self, cast, on_pro, starter):
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)

        on_pro.keep(by=cast.noah, at=NOW)

        assert running(on_pro) == [("Pro", 1, None)]
        bill("2026-12-10")
        assert invoices(on_pro)[1:] == [[("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00)]]
        event = Event.objects.get(code="subscription.kept")
        assert event.facts["undone"] == "the change to Starter"

    def test_undoes_a_cancellation(self, cast, on_pro, numbers):
        on_pro.add(numbers, 3, by=cast.maya, at=NOW)
        on_pro.cancel(by=cast.maya, at=NOW)

        on_pro.keep(by=cast.maya, at=NOW)

        assert running(on_pro) == [("Phone number", 3, None), ("Pro", 1, None)]
        assert Event.objects.get(code="subscription.kept").facts["undone"] == "the cancellation"

    def test_is_too_late_on_the_day(self, cast, on_pro, starter):
        on_pro.choose_tier(starter, by=cast.maya, at=NOW)

        with pytest.raises(NothingToUndo):
            on_pro.keep(by=cast.maya, at=noon(2026, 12, 10))

    def test_needs_something_to_undo(self, cast, on_pro):
        with pytest.raises(NothingToUndo):
            on_pro.keep(by=cast.maya, at=NOW)


class TestAdd:
    def test_starts_now_and_is_billed_with_the_next_invoice(self, cast, on_pro, numbers):
        at = noon(2026, 11, 20)
        said = on_pro.preview_add_on(numbers, 3, by=cast.maya, at=at).preview

        on_pro.add(numbers, 3, by=cast.maya, at=at)

        assert (said.today.minor, said.first_invoice_day) == (0, RENEWAL)
        bill("2026-12-10")
        [invoice] = invoices(on_pro)[1:]
        assert invoice == [
            ("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00),
            ("3 × Phone number, 20 Nov – 9 Dec 2026 (20 of 30 days)", 6_00),
            ("3 × Phone number, 10 Dec 2026 – 9 Jan 2027", 9_00),
        ]
        assert said.first_invoice.minor == sum(amount for _, amount in invoice)

    def test_needs_no_plan_where_the_partner_has_it(self, cast, numbers):
        bluebird = SelfService(cast.revampd_bluebird)

        bluebird.add(numbers, 2, by=cast.ben, at=NOW)

        assert invoices(bluebird) == [[("2 × Phone number, 10 Nov – 9 Dec 2026", 6_00)]]
        bill("2026-12-10")
        assert len(invoices(bluebird)) == 2
        assert_books_agree(bluebird.connection)


class TestRemove:
    @pytest.fixture
    def request_(self, cast, on_pro, numbers):
        return on_pro.add(numbers, 3, by=cast.maya, at=NOW)

    def test_ends_it_with_the_period(self, cast, on_pro, request_):
        on_pro.remove(request_, by=cast.maya, at=NOW)

        assert running(on_pro) == [("Phone number", 3, RENEWAL), ("Pro", 1, None)]
        bill("2026-12-10")
        assert invoices(on_pro)[1:] == [
            [
                ("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00),
                ("3 × Phone number, 10 Nov – 9 Dec 2026", 9_00),
            ]
        ]

    def test_of_some_leaves_the_others_at_their_price(self, cast, on_pro, request_, numbers):
        numbers.change(by=cast.rhea, unit_price=5_00)

        on_pro.remove(request_, quantity=1, by=cast.maya, at=NOW)

        bill("2026-12-10")
        assert invoices(on_pro)[1:] == [
            [
                ("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00),
                ("3 × Phone number, 10 Nov – 9 Dec 2026", 9_00),
                ("2 × Phone number, 10 Dec 2026 – 9 Jan 2027", 6_00),
            ]
        ]
        assert_books_agree(on_pro.connection)

    def test_can_be_done_while_the_connection_is_suspended(self, cast, on_pro, request_):
        Connection.objects.filter(pk=on_pro.connection.pk).update(state="SUSPENDED")

        on_pro.remove(request_, quantity=1, by=cast.maya, at=NOW)
        on_pro.cancel(by=cast.maya, at=NOW)

        assert {end for _, _, end in running(on_pro)} == {RENEWAL}

    @pytest.mark.parametrize("quantity", [0, -1, 4])
    def test_refuses_a_number_that_does_not_run(self, cast, on_pro, request_, quantity):
        with pytest.raises(Invalid) as refusal:
            on_pro.remove(request_, quantity=quantity, by=cast.maya, at=NOW)

        assert refusal.value.field == "quantity"

    def test_is_done_once(self, cast, on_pro, request_):
        on_pro.remove(request_, by=cast.maya, at=NOW)

        with pytest.raises(NothingToEnd):
            on_pro.remove(request_, by=cast.maya, at=NOW)


class TestRetain:
    @pytest.fixture
    def request_(self, cast, on_pro, numbers):
        return on_pro.add(numbers, 3, by=cast.maya, at=NOW)

    def test_undoes_a_removal(self, cast, on_pro, request_):
        on_pro.remove(request_, by=cast.maya, at=NOW)

        on_pro.retain(request_, by=cast.maya, at=NOW)

        assert running(on_pro) == [("Phone number", 3, None), ("Pro", 1, None)]

    def test_undoes_that_some_were_removed(self, cast, on_pro, request_):
        on_pro.remove(request_, quantity=1, by=cast.maya, at=NOW)
        less = on_pro.connection.billing_requests.latest("proposed_at", "id")

        on_pro.retain(less, by=cast.maya, at=NOW)

        bill("2026-12-10")
        assert invoices(on_pro)[1:] == [
            [
                ("Pro, 10 Dec 2026 – 9 Jan 2027", 297_00),
                ("3 × Phone number, 10 Nov – 9 Dec 2026", 9_00),
                ("3 × Phone number, 10 Dec 2026 – 9 Jan 2027", 9_00),
            ]
        ]

    def test_waits_for_the_plan_to_be_kept(self, cast, on_pro, request_):
        on_pro.remove(request_, by=cast.maya, at=NOW)
        on_pro.cancel(by=cast.maya, at=NOW)

        with pytest.raises(NothingToUndo) as refusal:
            on_pro.retain(request_, by=cast.maya, at=NOW)

        assert refusal.value.next_step == "Keep Pro first."

    def test_needs_something_to_undo(self, cast, on_pro, request_):
        with pytest.raises(NothingToUndo):
            on_pro.retain(request_, by=cast.maya, at=NOW)


class TestTierUse:
    def test_keeps_the_newest_report(self, cast):
        connection = cast.revampd_northwind
        TierUse.report(connection=connection, campaigns=3, workflows=4, at=NOW)

        TierUse.report(connection=connection, campaigns=9, workflows=9, at=NOW - timedelta(hours=1))
        TierUse.report(connection=connection, campaigns=5, workflows=6, at=NOW)

        kept = TierUse.objects.get()
        assert (kept.campaigns, kept.workflows) == (5, 6)

    def test_refuses_what_cannot_be(self, cast):
        with pytest.raises(Invalid):
            TierUse.report(connection=cast.revampd_northwind, campaigns=-1, workflows=0, at=NOW)
        with pytest.raises(Invalid):
            TierUse.report(connection=cast.northwind_bluebird, campaigns=1, workflows=0, at=NOW)
