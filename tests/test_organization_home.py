"""The homes of organizations: what a seller earns, what a buyer pays, and only their own."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from billing.collecting import collect_due
from billing.models import BillingRequest, Credit, PriceLimits, SelfService
from billing.models.due import upcoming
from billing.models.proposals import Proposal
from billing.obstacles import Obstacles
from billing.pricing import Timing
from billing.revenue import Revenue
from billing.spending import Spending, paid_by_month
from connections.models import Connection, User
from notifications.draining import drain_events
from notifications.models import Delivery
from payouts.harvest import collect_earnings
from revampd.kit.money import Money
from tests.billing.acts import NOW, TODAY, agree, bill, noon, propose
from tests.billing.cards import add_card
from tests.billing.deals import many_requests
from tests.cast import Cast, between, connect, plan
from tests.payouts.acts import close, put_on_tier
from tests.test_home import queries


def revenue(cast: Cast, on: date = TODAY) -> Revenue:
    [found] = Revenue.of_each_currency(cast.northwind, on)
    return found


def months(cast: Cast, on: date) -> list[int]:
    return [month.amount.minor for month in revenue(cast, on).months]


def obstacles(cast: Cast, on: date = TODAY) -> Obstacles:
    return Obstacles.of(cast.northwind, on)


def home(organization) -> str:
    return f"/organizations/{organization.slug}/"


@pytest.fixture
def second(cast: Cast) -> Connection:
    """Another customer of Northwind, owned by Fay."""
    return between(cast.northwind, connect(cast.northwind, "Second", cast.fay, by=cast.maya))


def sell(
    cast: Cast, connection: Connection, item, at: datetime = NOW, by: User | None = None
) -> None:
    request = BillingRequest.propose(Proposal(item), connection=connection, by=cast.noah, at=at)
    request.approve(by=by or cast.fay, seal=request.seal, at=at)


class TestRevenue:
    def test_is_what_runs_in_a_month_a_year_being_twelve_of_them(self, cast, second):
        agree(cast)
        agree(cast, cast.phone_numbers, quantity=4)
        sell(cast, second, cast.growth_yearly)

        found = revenue(cast)

        assert found.monthly == Money(149_00 + 10_00 + 82_50)
        assert [(one.name, one.amount.minor) for one in found.top] == [
            ("Bluebird Clinic", 159_00),
            ("Second", 82_50),
        ]
        assert found.rest == Money(0)

    def test_is_drawn_by_the_ends_of_months(self, cast):
        agree(cast, at=noon(2026, 9, 20))
        agree(cast, cast.scale, at=noon(2026, 10, 5))

        assert months(cast, date(2026, 11, 10)) == [*[0] * 9, 149_00, 297_00, 297_00]
        assert months(cast, date(2026, 10, 4))[-2:] == [149_00, 149_00]

    def test_leaves_out_what_begins_later_never_began_or_has_ended(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        assert revenue(cast).monthly == Money(149_00)
        agree(cast, cast.growth_yearly, timing=Timing.NEXT_CYCLE)

        assert revenue(cast, date(2026, 12, 31)).monthly == Money(82_50)
        assert "less than at the end of last month" in revenue(cast, date(2026, 12, 31)).growth

    def test_is_the_sellers_own(self, cast):
        agree(cast)

        assert Revenue.of_each_currency(cast.contoso, TODAY) == []
        assert Revenue.of_each_currency(cast.bluebird, TODAY) == []

    def test_sums_up_who_comes_after_the_first_five(self, cast, second):
        small = plan(cast.northwind, cast.maya, "Small", 45_00)
        agree(cast)
        for number in range(6):
            customer = connect(cast.northwind, f"Small {number}", cast.fay, by=cast.maya)
            sell(cast, between(cast.northwind, customer), small)

        found = revenue(cast)

        assert len(found.top) == 5
        assert found.rest == Money(2 * 45_00)


class TestObstacles:
    def test_count_what_waits_and_what_it_would_add_a_month(self, cast):
        propose(cast)
        propose(cast, cast.setup)
        propose(cast, cast.growth_yearly)

        waiting = obstacles(cast).waiting

        assert (waiting.number, waiting.amounts) == (3, [Money(149_00 + 82_50)])
        assert Obstacles.of(cast.contoso, TODAY).waiting.number == 0

    def test_begin_with_the_most_urgent(self, cast):
        propose(cast, expires_at=NOW + timedelta(days=20))
        for days in (2, 7, 6, 5, 4, 3):
            propose(cast, cast.scale, expires_at=NOW + timedelta(days=days))

        found = obstacles(cast)

        assert [(one.expires_at - NOW).days for one in found.pending] == [2, 3, 4, 5, 6]
        assert found.waiting.number == 7

    def test_say_whose_mail_about_it_failed(self, cast):
        reached, unreached = propose(cast), propose(cast, cast.scale)
        drain_events()
        assert not any(one.mail_failed for one in obstacles(cast).pending)
        Delivery.objects.filter(event__subject_id=str(unreached.pk)).update(state="BOUNCED")

        failed = {one.pk: one.mail_failed for one in obstacles(cast).pending}

        assert failed == {reached.pk: False, unreached.pk: True}

    def test_show_what_was_declined_with_its_note_for_thirty_days(self, cast):
        for number in (1, 2):
            propose(cast).reject(by=cast.ben, at=noon(2026, 11, number), note=f"No {number}")

        assert [one.decision_note for one in obstacles(cast).declined] == ["No 2", "No 1"]
        assert [
            one.decision_note for one in obstacles(cast, TODAY + timedelta(days=21)).declined
        ] == ["No 2"]
        assert Obstacles.of(cast.contoso, TODAY).declined == []

    def test_sum_what_each_customer_has_not_paid(self, cast, second):
        agree(cast)
        assert obstacles(cast).overdue.number == 0
        collect_due(at=noon(2026, 12, 1))
        Credit.adjust(cast.northwind_bluebird, 9_00, reason="Sorry", by=cast.noah, at=NOW)
        bill(cast.northwind_bluebird, noon(2026, 12, 10))
        sell(cast, second, cast.scale, at=noon(2026, 12, 20))
        collect_due(at=noon(2027, 1, 9))

        found = obstacles(cast)

        assert (found.overdue.number, found.overdue.amounts) == (
            3,
            [Money(149_00 + 140_00 + 297_00)],
        )
        assert [(one.name, one.number, one.amount) for one in found.debts] == [
            ("Bluebird Clinic", 2, Money(149_00 + 140_00)),
            ("Second", 1, Money(297_00)),
        ]
        assert [one.since for one in found.debts] == [date(2026, 12, 1), date(2027, 1, 9)]
        assert Obstacles.of(cast.contoso, TODAY).debts == []


@pytest.fixture
def european(cast: Cast, second: Connection) -> Connection:
    """The second customer, which pays 990 euros a month."""
    PriceLimits.objects.create(currency="EUR")
    Connection.objects.filter(pk=second.pk).update(currency="EUR")
    second.refresh_from_db()
    version = plan(cast.northwind, cast.maya, "Europe", 990_00, currency="EUR")
    sell(cast, second, version)
    return second


class TestCurrencies:
    def test_are_never_added_and_dollars_come_first(self, cast, european):
        agree(cast)

        dollars, euros = Revenue.of_each_currency(cast.northwind, TODAY)

        assert (dollars.monthly, euros.monthly) == (Money(149_00), Money(990_00, "EUR"))
        assert [one.name for one in dollars.top] == ["Bluebird Clinic"]
        assert [one.name for one in euros.top] == ["Second"]

    def test_each_has_its_own_largest_customers(self, cast, european):
        for number in range(5):
            customer = connect(cast.northwind, f"Large {number}", cast.fay, by=cast.maya)
            sell(cast, between(cast.northwind, customer), cast.growth)

        dollars, euros = Revenue.of_each_currency(cast.northwind, TODAY)

        assert (len(dollars.top), len(euros.top)) == (5, 1)
        assert (dollars.rest, euros.rest) == (Money(0), Money(0, "EUR"))

    def test_of_what_is_overdue_are_all_summed(self, cast, european):
        agree(cast)
        collect_due(at=noon(2027, 1, 9))

        amounts = obstacles(cast).overdue.amounts

        assert amounts == [Money(149_00), Money(990_00, "EUR")]

    def test_of_what_waits_are_all_summed(self, cast, european):
        for days in range(2, 8):
            propose(cast, expires_at=NOW + timedelta(days=days))
        larger = plan(cast.northwind, cast.maya, "Continent", 1_000_00, currency="EUR")
        proposal = Proposal(larger, expires_at=NOW + timedelta(days=20))
        BillingRequest.propose(proposal, connection=european, by=cast.noah, at=NOW)

        waiting = obstacles(cast).waiting

        assert waiting.amounts == [Money(6 * 149_00), Money(10_00, "EUR")]


class TestSpending:
    def test_is_a_month_of_everything_that_runs(self, cast):
        agree(cast)
        agree(cast, cast.phone_numbers, quantity=4, at=noon(2026, 11, 20))

        found = Spending.of(cast.bluebird, date(2026, 11, 20))

        assert found.monthly == [Money(159_00)]
        assert found.owed == [Money(149_00)]
        assert found.next is not None
        assert found.next.connection == cast.northwind_bluebird
        assert (found.next.next_invoice, found.next.next_total) == (
            date(2026, 12, 10),
            Money(149_00 + 6_67 + 10_00),
        )

    def test_counts_what_waits(self, cast):
        propose(cast)

        assert Spending.of(cast.bluebird, TODAY).waiting == 1
        assert Spending.of(cast.fabrikam, TODAY).waiting == 0


class TestPaidByMonth:
    def test_is_what_payment_methods_paid(self, cast):
        add_card(cast.northwind_bluebird, "visa", by=cast.ben, at=NOW)
        agree(cast)
        collect_due(at=NOW)

        [by_month] = paid_by_month(cast.bluebird, TODAY).values()

        assert [month.amount.minor for month in by_month] == [*[0] * 11, 149_00]
        assert paid_by_month(cast.fabrikam, TODAY) == {}


class TestPage:
    def test_tells_a_seller_what_it_earns(self, cast, as_):
        agree(cast, at=timezone.now())
        tier = plan(cast.revampd, cast.rhea, "Pro", 297_00)
        own = SelfService(cast.revampd_northwind)
        own.choose_tier(tier, by=cast.maya, at=timezone.now())

        page = as_(cast.vera).get(home(cast.northwind)).content.decode()

        assert "$149.00" in page
        assert "Bluebird Clinic" in page
        assert "from Revampd" in page
        assert "Available now" in page
        assert "Invite a Sub-Org" not in page
        assert "Invite a Sub-Org" in as_(cast.maya).get(home(cast.northwind)).content.decode()

    def test_tells_a_buyer_what_it_pays(self, cast, as_):
        agree(cast, at=timezone.now())
        propose(cast, cast.setup, at=timezone.now())

        page = as_(cast.ben).get(home(cast.bluebird)).content.decode()

        assert "Northwind Agency proposes Setup" in page
        assert "$149.00" in page

    def test_tells_a_partner_what_it_owes_and_what_it_is_paid(self, cast, as_):
        """97.00 for the tier; of 149.00 that were paid by card 3.5 % go to Revampd: 5.22."""
        put_on_tier(cast, at=NOW)
        sell(cast, cast.northwind_bluebird, cast.growth, by=cast.ben)
        add_card(cast.northwind_bluebird, "visa", by=cast.ben, at=NOW)
        collect_due(at=NOW)
        collect_earnings()

        before = as_(cast.vera).get(home(cast.northwind)).context["spending"]
        close(NOW + timedelta(days=7))
        after = as_(cast.vera).get(home(cast.northwind)).context["spending"]

        assert (before.monthly, before.owed) == ([Money(97_00)], [Money(97_00)])
        assert before.next.next_total == Money(97_00)
        assert [(one.available, one.coming) for one in before.bought] == [(Money(0), Money(143_78))]
        assert [(one.available, one.coming) for one in after.bought] == [(Money(143_78), Money(0))]

    def test_tells_a_sub_org_what_comes_next(self, cast, as_):
        agree(cast, at=timezone.now())

        spending = as_(cast.ben).get(home(cast.bluebird)).context["spending"]

        assert (spending.monthly, spending.owed) == ([Money(149_00)], [Money(149_00)])
        following = upcoming(cast.northwind_bluebird, cast.northwind_bluebird.today)
        next_one = spending.next
        assert (next_one.next_invoice, next_one.next_total) == (
            following.drafts[0].on,
            Money(149_00),
        )

    def test_tells_the_platform_what_partners_pay(self, cast, as_):
        tier = plan(cast.revampd, cast.rhea, "Pro", 297_00)
        own = SelfService(cast.revampd_northwind)
        own.choose_tier(tier, by=cast.maya, at=timezone.now())

        page = as_(cast.rhea).get(home(cast.revampd)).content.decode()

        assert "$297.00" in page

    @pytest.mark.parametrize("name", ["ben", "oscar", "zed", "rhea"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        assert as_(getattr(cast, name)).get(home(cast.northwind)).status_code == 404

    def test_says_that_nothing_runs(self, cast, as_):
        page = as_(cast.oscar).get(home(cast.contoso)).content.decode()

        assert "Nothing runs yet" in page

    @pytest.mark.parametrize(("name", "organization"), [("maya", "northwind"), ("ben", "bluebird")])
    def test_takes_at_most_ten_queries_whatever_happened(self, cast, as_, name, organization):
        browser = as_(getattr(cast, name))
        path = home(getattr(cast, organization))
        agree(cast, at=timezone.now())
        many_requests(propose(cast, cast.setup, at=timezone.now()), 10)
        before = queries(browser, path)

        waiting = propose(cast, cast.scale, at=timezone.now(), timing=Timing.NEXT_CYCLE)
        many_requests(waiting, 300)

        assert queries(browser, path) == before <= 10
