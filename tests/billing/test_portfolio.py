"""The list of Sub-Orgs: what each has, pays, decides and owes; narrowed, counted, sorted."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.cycle import bill_due
from billing.models import BillingRequest, Invoice
from billing.models.proposals import Proposal
from billing.portfolio import Customer, customer_of, customers, read
from billing.pricing import Interval, Timing, a_month_of
from connections.models import Connection, Invitation, Membership
from revampd.kit.money import Money
from tests.cast import LONG_AGO, Cast
from tests.factories import MembershipFactory
from tests.factories import customers as crowd

from .deals import approve, propose, queries, run

URL = "/organizations/northwind-agency/sub-orgs/"


def listed(cast: Cast, of: str = "Bluebird Clinic") -> Customer:
    rows = read(customers(cast.northwind.pk, cast.northwind.time_zone, timezone.now()))
    return customer_of(rows.get(customer__name=of))


def overdue(cast: Cast) -> Invoice:
    """An invoice of Bluebird that nobody paid in time."""
    invoice: Invoice = cast.northwind_bluebird.invoices.latest("number")
    invoice.wait(at=timezone.now() + timedelta(days=60))
    return invoice


def found(browser, query: str = "") -> list[str]:
    """The names on the page, in its order."""
    return [one.name for one in browser.get(URL + query).context["rows"]]


@pytest.fixture
def several(cast: Cast) -> Cast:
    """Bluebird with a plan, a request that waits and money that it owes; four beside it."""
    run(cast)
    overdue(cast)
    propose(cast, cast.setup)
    acme, beta, cedar, _ = crowd(cast.northwind, 4)
    for connection, name in ((acme, "acme"), (beta, "Beta 100%"), (cedar, "Cedar_Dental")):
        connection.customer.name = name
        connection.customer.save(update_fields=["name"])
    MembershipFactory(organization=acme.customer, user__email="Ada.L@acme.test")
    noah = Membership.objects.get(user=cast.noah)
    cast.northwind_bluebird.assign_owners(sales=noah, support=None, by=cast.maya)
    beta.assign_owners(sales=None, support=noah, by=cast.maya)
    Connection.objects.filter(pk=cedar.pk).update(state="SUSPENDED")
    return cast


class TestMonthly:
    @pytest.mark.parametrize(
        ("monthly", "yearly", "month"),
        [
            (149_00, 0, 149_00),
            (0, 990_00, 82_50),
            (0, 890_00, 74_17),
            (10_00, 1_00, 10_09),
            (0, 0, 0),
        ],
    )
    def test_is_a_twelfth_of_what_is_paid_by_the_year(self, monthly, yearly, month):
        assert a_month_of(monthly, yearly) == month

    def test_adds_up_what_runs_today(self, cast):
        run(cast)
        run(cast, cast.phone_numbers, quantity=3)

        assert listed(cast).monthly == Money(149_00 + 7_50)

    def test_is_a_twelfth_of_a_yearly_plan(self, cast):
        version = cast.growth.plan.publish(
            by=cast.maya, at=LONG_AGO, interval=Interval.YEAR, base_price=890_00
        )
        run(cast, version)

        one = listed(cast)
        assert (one.plan, one.is_yearly, one.monthly) == ("Growth", True, Money(74_17))

    def test_is_nothing_before_and_after(self, cast):
        assert listed(cast).monthly == Money(0)

        later = timezone.now().date() + timedelta(days=20)
        approve(cast, propose(cast, timing=Timing.DATE, effective_date=later))

        one = listed(cast)
        assert (one.plan, one.monthly) == ("", Money(0))
        assert (one.next_plan, one.next_from) == ("Growth", later)

    def test_is_the_old_one_until_the_change(self, cast):
        run(cast)
        run(cast, cast.scale, timing=Timing.NEXT_CYCLE)

        one = listed(cast)
        assert (one.plan, one.next_plan, one.monthly) == ("Growth", "Scale", Money(149_00))

    def test_knows_nothing_of_a_change_that_another_has_replaced(self, cast):
        run(cast)
        run(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        run(cast, cast.growth_yearly, timing=Timing.NEXT_CYCLE)

        assert (listed(cast).plan, listed(cast).next_plan) == ("Growth", "Growth")

    def test_is_the_new_one_on_the_clock_of_the_connection(self, cast):
        run(cast)
        run(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        Connection.objects.filter(pk=cast.northwind_bluebird.pk).update(ahead=timedelta(days=40))

        assert (listed(cast).plan, listed(cast).monthly) == ("Scale", Money(297_00))


class TestOverdue:
    def test_is_the_sum_of_what_is_past_due(self, cast):
        run(cast)
        run(cast, cast.setup)
        assert not listed(cast).overdue

        for invoice in cast.northwind_bluebird.invoices.all():
            invoice.wait(at=timezone.now() + timedelta(days=60))

        assert listed(cast).overdue == Money(549_00)

    def test_is_what_is_left_of_it(self, cast):
        run(cast)
        invoice = overdue(cast)
        invoice.write_off(reason="They closed.", by=cast.maya, at=timezone.now())

        assert not listed(cast).overdue

    def test_is_none_of_other_connections(self, cast):
        at = timezone.now()
        request = BillingRequest.propose(
            Proposal(cast.contoso_basic), connection=cast.contoso_fabrikam, by=cast.oscar, at=at
        )
        request.approve(by=cast.fay, seal=request.seal, at=at)
        cast.contoso_fabrikam.invoices.get().wait(at=at + timedelta(days=60))

        assert not listed(cast).overdue


class TestPage:
    def test_shows_what_waits_what_is_overdue_and_what_comes(self, several, as_):
        page = as_(several.vera).get(URL).text

        for words in ("Growth", "$149.00", "1 to decide", "acme"):
            assert words in page

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?q=ACM", ["acme"]),
            ("?q=ada.l%40", ["acme"]),
            ("?q=100%25", ["Beta 100%"]),
            ("?q=r_d", ["Cedar_Dental"]),
            ("?q=ben%40example", ["Bluebird Clinic"]),
            ("?state=SUSPENDED", ["Cedar_Dental"]),
            ("?waiting=yes", ["Bluebird Clinic"]),
            ("?overdue=yes", ["Bluebird Clinic"]),
            ("?plan=Growth", ["Bluebird Clinic"]),
            ("?plan=-&q=acme", ["acme"]),
            ("?plan=growth", []),
            ("?overdue=yes&state=SUSPENDED", []),
        ],
    )
    def test_narrows_down(self, several, as_, query, names):
        assert found(as_(several.maya), query) == names

    def test_narrows_down_by_sales_and_support_owner(self, several, as_):
        noah = Membership.objects.get(user=several.noah)

        assert set(found(as_(several.maya), f"?owner={noah.pk}")) == {
            "Bluebird Clinic",
            "Beta 100%",
        }

    def test_finds_who_is_invited_by_the_address(self, cast, as_):
        Invitation.send_to_customer(
            provider=cast.northwind,
            name="Acme",
            email="ada@acme.test",
            by=cast.maya,
            at=timezone.now(),
        )

        assert found(as_(cast.maya), "?q=ada@acme") == ["Acme"]

    @pytest.mark.parametrize(
        ("sort", "first"),
        [
            ("name", "acme"),
            ("-monthly", "Bluebird Clinic"),
            ("-overdue", "Bluebird Clinic"),
            ("since", "Bluebird Clinic"),
        ],
    )
    def test_sorts(self, several, as_, sort, first):
        browser = as_(several.maya)
        other = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"

        assert found(browser, f"?sort={sort}")[0] == first
        assert found(browser, f"?sort={other}")[-1] == first

    @pytest.mark.parametrize(
        "query",
        ["?state=%00", "?owner=x", "?owner=-1", f"?owner={10**30}", "?plan=%00", "?waiting=no"],
    )
    def test_leaves_out_what_it_does_not_know(self, several, as_, query):
        assert len(found(as_(several.maya), query + "&sort='&page=x")) == 5

    def test_counts_what_each_choice_would_find(self, several, as_):
        noah = str(Membership.objects.get(user=several.noah).pk)
        context = as_(several.maya).get(f"{URL}?owner={noah}").context
        census = context["census"]

        assert census.number() == 2
        assert census.states() == [("ACTIVE", "Active", 2), ("SUSPENDED", "Suspended", 0)]
        assert (census.waiting, census.overdue) == (1, 1)

    def test_offers_the_plans_and_the_members_of_the_seller(self, several, as_):
        context = as_(several.maya).get(URL).context

        assert [name for _, name in context["plans"]] == ["Growth", "Scale", "No plan"]
        assert "Noah Tester" in [name for _, name in context["owners"]]

    def test_counts_as_many_as_it_finds(self, several, as_):
        browser = as_(several.maya)
        for query in ("?q=a", "?state=ACTIVE", "?plan=-", "?waiting=yes", "?state=ENDED"):
            context = browser.get(URL + query).context

            assert context["page"].paginator.count == len(context["rows"]), query

    def test_shows_nothing_of_other_partners(self, several, as_):
        assert found(as_(several.maya), "?q=Fabrikam") == []
        assert as_(several.oscar).get(URL).status_code == 404

    def test_lists_partners_and_their_tiers_for_the_platform(self, cast, as_):
        answer = as_(cast.rhea).get("/organizations/revampd/sub-orgs/")

        names = {one.name for one in answer.context["rows"]}
        assert {"Northwind Agency", "Bluebird Clinic"} <= names
        assert "Import" not in answer.text


class TestExport:
    def rows(self, browser, query: str = "") -> list[dict[str, str]]:
        answer = browser.get(f"{URL}export/{query}")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def test_has_the_columns_of_the_list(self, several, as_):
        [row] = self.rows(as_(several.maya), "?overdue=yes")

        since = several.northwind_bluebird.created_at
        assert row == {
            "Name": "Bluebird Clinic",
            "Status": "Active",
            "Plan": "Growth",
            "Next plan": "",
            "Next plan from": "",
            "Waiting requests": "1",
            "Currency": "USD",
            "Overdue": "149.00",
            "A month": "149.00",
            "Since": since.isoformat(timespec="seconds"),
        }

    def test_follows_filter_and_order(self, several, as_):
        names = [row["Name"] for row in self.rows(as_(several.maya), "?plan=-&sort=name&page=2")]

        assert names == sorted(names, key=str.lower)
        assert len(names) == 4

    def test_runs_no_formula(self, several, as_):
        several.bluebird.name = "=1+1"
        several.bluebird.save()

        assert self.rows(as_(several.maya), "?overdue=yes")[0]["Name"] == "'=1+1"


class TestCost:
    @pytest.mark.parametrize("query", ["", "?q=a&sort=-monthly", "?overdue=yes&sort=-overdue"])
    def test_is_the_same_for_a_thousand_as_for_ten(self, several, as_, query):
        browser = as_(several.maya)
        few = queries(browser, URL + query)
        crowd(several.northwind, 1_000)
        bill_due(at=timezone.now() + timedelta(days=40))

        assert queries(browser, URL + query) == few <= 10
