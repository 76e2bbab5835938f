"""A Partner's plan with Revampd: comparing tiers, changing, canceling, undoing, coming back."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from billing.cycle import bill_due
from billing.models import Subscription, TierUse
from billing.pricing import Running
from billing.tiers import Answer, act_of, rows_of
from tests.billing.cards import add_card
from tests.billing.deals import queries
from tests.billing.tiering import add, choose, own, put_on_sale, serve, sub_orgs


@pytest.fixture
def sale(cast):
    return put_on_sale(cast)


def url(cast, name: str = "plan", *args) -> str:
    return reverse(f"billing:{name}", args=[cast.revampd_northwind.pk, *args])


def running(cast) -> Running:
    return Subscription.running_on(cast.revampd_northwind)


def press(browser, path: str, **fields):
    """Open the page and send its form, as it stands."""
    page = browser.get(path)
    seal = page.context["prospect"].seal if page.context.get("prospect") else ""
    return browser.post(path, {"seal": seal, **fields}, follow=True)


def spoken(day) -> str:
    return date_format(day, "j M Y")


class TestPlanPage:
    def test_shows_the_tier_with_its_fee_and_what_is_used_of_it(self, cast, sale, as_):
        choose(cast, sale.starter)
        sub_orgs(cast, 7)
        TierUse.report(
            connection=cast.revampd_northwind, campaigns=20, workflows=3, at=timezone.now()
        )

        page = as_(cast.vera).get(url(cast)).text

        assert "Transaction fee: <b>5%</b>" in page
        assert "7 of 10" in page
        assert "20 of 25" in page
        assert "3 of 50" in page
        assert "Next invoice" in page
        assert "$97.00" in page

    def test_compares_all_tiers_in_words(self, cast, sale, as_):
        choose(cast, sale.pro)

        page = as_(cast.maya).get(url(cast))
        rows = {
            label: [(answer.text, answer.difference) for _, answer in answers]
            for label, answers in page.context["tiers"].rows
        }

        assert rows == {
            "Price": [
                ("$97.00 / month", "$200.00 less"),
                ("$297.00 / month", ""),
                ("$497.00 / month", "$200.00 more"),
            ],
            "Transaction fee": [("5%", "1.5% more"), ("3.5%", ""), ("2%", "1.5% less")],
            "Sub-Orgs": [("10", "40 fewer"), ("50", ""), ("Unlimited", "no limit")],
            "Campaigns": [("25", "125 fewer"), ("150", ""), ("Unlimited", "no limit")],
            "Workflows": [("50", "350 fewer"), ("400", ""), ("Unlimited", "no limit")],
        }
        assert "Your tier" in page.text
        assert "40 fewer" in page.text

    def test_keeps_the_version_that_was_approved_beside_the_newest(self, cast, sale, as_):
        choose(cast, sale.starter)
        sale.starter.plan.publish(
            by=cast.rhea, at=timezone.now(), interval="MONTH", base_price=107_00
        )

        tiers = as_(cast.maya).get(url(cast)).context["tiers"].tiers

        assert [(tier.name, tier.version.number, tier.act) for tier in tiers][:2] == [
            ("Starter", 1, ""),
            ("Starter", 2, "Upgrade"),
        ]

    def test_offers_no_change_to_who_may_not_bill(self, cast, sale, as_):
        choose(cast, sale.starter)
        path = url(cast, "choose-tier", sale.pro.pk)

        assert path in as_(cast.noah).get(url(cast)).text
        for reader in (cast.vera, cast.dana, cast.rhea):
            page = as_(reader).get(url(cast)).text
            assert "Upgrade" in page
            assert path not in page
            assert url(cast, "cancel-plan") not in page

    def test_has_no_tiers_between_a_partner_and_its_sub_org(self, cast, sale, as_):
        there = reverse("billing:plan", args=[cast.northwind_bluebird.pk])

        assert "All tiers" not in as_(cast.ben).get(there).text
        for name, args in (("choose-tier", [sale.pro.pk]), ("cancel-plan", []), ("keep-plan", [])):
            path = reverse(f"billing:{name}", args=[cast.northwind_bluebird.pk, *args])
            assert as_(cast.ben).get(path).status_code == 404
            assert as_(cast.ben).post(path).status_code == 404

    def test_costs_ten_queries_whatever_there_is(self, cast, sale, as_):
        choose(cast, sale.pro)
        choose(cast, sale.scale)
        few = queries(as_(cast.maya), url(cast))

        for _ in range(5):
            add(cast, sale.numbers)
            serve(cast, sale.training)
        sub_orgs(cast, 12)

        assert queries(as_(cast.maya), url(cast)) == few <= 10


class TestDifference:
    def test_of_another_interval_counts_by_the_year(self, cast, sale):
        yearly = sale.pro.plan.publish(
            by=cast.rhea, at=timezone.now(), interval="YEAR", base_price=2970_00, max_sub_orgs=50
        )

        rows = dict(rows_of([yearly], sale.pro))

        assert rows["Price"] == [Answer("$2,970.00 / year", "$594.00 less a year", -1)]
        assert rows["Sub-Orgs"] == [Answer("50")]
        assert rows["Campaigns"] == [Answer("Unlimited", "no limit", 1)]
        assert rows["Transaction fee"] == [Answer("None", "3.5% less", -1)]
        assert (act_of(yearly, sale.pro), act_of(sale.pro, yearly)) == ("Downgrade", "Upgrade")


class TestChoose:
    def test_shows_first_what_changes_when_and_what_it_costs(self, cast, sale, as_):
        choose(cast, sale.starter)
        add(cast, sale.numbers, 2)
        before = as_(cast.maya).get(url(cast)).context["runs"]

        page = as_(cast.maya).get(url(cast, "choose-tier", sale.pro.pk))
        prospect = page.context["prospect"]

        assert prospect.starts_on == prospect.invoice_day == running(cast).next_invoice
        assert prospect.invoice_before == before.upcoming_total
        assert prospect.invoice_after.minor == before.upcoming_total.minor + 200_00
        assert (str(prospect.each_before), str(prospect.each_after)) == ("$105.00", "$305.00")
        for words in ("before <time", "Upgrade to Pro", "1.5% less", "40 more"):
            assert words in page.text
        assert running(cast).plan_on(prospect.starts_on).name == "Starter"

    def test_schedules_the_change_for_the_next_cycle(self, cast, sale, as_):
        choose(cast, sale.starter)
        day = running(cast).next_invoice

        page = press(as_(cast.noah), url(cast, "choose-tier", sale.pro.pk))

        assert f"Pro starts on {spoken(day)}." in page.text
        assert "Undo: keep Starter" in page.text
        assert running(cast).plan_on(day - timedelta(days=1)).name == "Starter"
        assert running(cast).plan_on(day).name == "Pro"

    def test_replaces_what_is_scheduled_and_says_so(self, cast, sale, as_):
        choose(cast, sale.starter)
        choose(cast, sale.pro)
        path = url(cast, "choose-tier", sale.scale.pk)

        assert "It replaces the change to Pro" in as_(cast.maya).get(path).text
        page = press(as_(cast.maya), path)

        assert "It replaces the change to Pro." in page.text
        assert running(cast).plan_on(running(cast).next_invoice).name == "Scale"

    def test_starts_at_once_where_nothing_runs(self, cast, sale, as_):
        page = as_(cast.maya).get(url(cast, "choose-tier", sale.starter.pk))
        assert "It starts today." in page.text

        press(as_(cast.maya), url(cast, "choose-tier", sale.starter.pk))

        [invoice] = cast.revampd_northwind.invoices.all()
        assert invoice.total == 97_00

    def test_bills_what_was_shown(self, cast, sale, as_):
        choose(cast, sale.starter)
        add(cast, sale.numbers, 3)
        path = url(cast, "choose-tier", sale.pro.pk)
        promised = as_(cast.maya).get(path).context["prospect"]

        press(as_(cast.maya), path)
        bill_due(promised.invoice_day, at=timezone.now())

        invoice = cast.revampd_northwind.invoices.newest_first().first()
        assert invoice.issue_date == promised.invoice_day
        assert invoice.total_money == promised.invoice_after

    def test_says_why_a_smaller_tier_is_too_small(self, cast, sale, as_):
        choose(cast, sale.pro)
        sub_orgs(cast, 12)
        path = url(cast, "choose-tier", sale.starter.pk)

        shown, sent = as_(cast.maya).get(path), as_(cast.maya).post(path)

        assert "12 Sub-Orgs, Starter allows 10" in as_(cast.maya).get(url(cast)).text
        for page in (shown, sent):
            assert "12 Sub-Orgs, Starter allows 10." in page.text
            assert "Choose a larger tier, or make room first." in page.text
            assert "Downgrade to Starter on" not in page.text
        assert sent.status_code == 409
        assert running(cast).plan_on(running(cast).next_invoice).name == "Pro"

    def test_says_that_a_scheduled_tier_has_become_too_small(self, cast, sale, as_):
        choose(cast, sale.pro)
        choose(cast, sale.starter)
        sub_orgs(cast, 12)

        page = as_(cast.maya).get(url(cast))
        promised = as_(cast.maya).get(url(cast, "choose-tier", sale.scale.pk)).context["prospect"]

        assert "<b>12 Sub-Orgs, Starter allows 10.</b>" in page.text
        assert "Pro goes on instead." in page.text
        assert page.context["runs"].upcoming_total.minor == 297_00
        sums = (promised.invoice_before.minor, promised.invoice_after.minor)
        assert sums == (297_00, 497_00)

    def test_takes_nothing_that_was_not_seen(self, cast, sale, as_):
        choose(cast, sale.starter)
        path = url(cast, "choose-tier", sale.pro.pk)
        seen = as_(cast.maya).get(path).context["prospect"].seal
        add(cast, sale.numbers, 2)

        page = as_(cast.maya).post(path, {"seal": seen})

        assert page.status_code == 409
        assert "Nothing was changed yet. " in page.text.replace("</b>", "")
        assert page.context["prospect"].seal != seen
        assert running(cast).plan_on(running(cast).next_invoice).name == "Starter"

    def test_says_that_the_tier_runs_already(self, cast, sale, as_):
        choose(cast, sale.starter)

        page = as_(cast.maya).get(url(cast, "choose-tier", sale.starter.pk)).text

        assert "Change to Starter" in page
        assert "Northwind Agency has this plan already." in page

    def test_is_no_page_for_a_tier_of_somebody_else(self, cast, sale, as_):
        path = url(cast, "choose-tier", cast.growth.pk)

        assert as_(cast.maya).get(path).status_code == 404
        assert as_(cast.maya).post(path).status_code == 404

    def test_costs_at_most_ten_queries(self, cast, sale, as_):
        choose(cast, sale.starter)
        few = queries(as_(cast.maya), url(cast, "choose-tier", sale.pro.pk))
        for _ in range(5):
            add(cast, sale.numbers)

        assert queries(as_(cast.maya), url(cast, "choose-tier", sale.pro.pk)) == few <= 10


class TestCancel:
    def test_says_what_ends_when_and_what_the_last_invoice_is(self, cast, sale, as_):
        choose(cast, sale.starter)
        add_on_days = add(cast, sale.numbers, 2, at=timezone.now() + timedelta(days=9))
        day = running(cast).next_invoice

        page = as_(cast.maya).get(url(cast, "cancel-plan"))

        assert add_on_days.items.exists()
        assert "Starter" in page.text
        assert "2 × Phone number" in page.text
        assert f"Cancel Starter on {spoken(day)}" in page.text
        assert f"is {page.context['last_invoice']}" in page.text

    def test_ends_everything_with_the_period(self, cast, sale, as_):
        choose(cast, sale.starter)
        day = running(cast).next_invoice

        page = as_(cast.maya).post(url(cast, "cancel-plan"), follow=True)

        assert f"Your plan ends on {spoken(day)}. You can undo it until then." in page.text
        assert "Canceled" in page.text
        assert "You canceled <b>Starter</b>." in page.text
        assert running(cast).plan_on(day) is None

    def test_is_refused_in_place_where_nothing_runs(self, cast, sale, as_):
        shown, sent = (
            getattr(as_(cast.maya), method)(url(cast, "cancel-plan")) for method in ("get", "post")
        )

        assert "Nothing runs that could be canceled." in shown.text
        assert (sent.status_code, "could be canceled" in sent.text) == (409, True)

    def test_leaves_a_way_back_before_the_day(self, cast, sale, as_):
        choose(cast, sale.starter)
        own(cast).cancel(by=cast.maya, at=timezone.now())

        page = as_(cast.maya).post(url(cast, "keep-plan"), follow=True)

        assert "Your plan goes on as it is." in page.text
        assert running(cast).plan_on(running(cast).next_invoice).name == "Starter"

    def test_leaves_a_way_back_afterwards(self, cast, sale, as_):
        begun = timezone.now() - timedelta(days=70)
        choose(cast, sale.starter, at=begun)
        own(cast).cancel(by=cast.maya, at=begun)
        bill_due(timezone.now().date(), at=timezone.now())

        page = as_(cast.maya).get(url(cast))
        assert "No tier runs" in page.text
        assert "Start<" in page.text
        press(as_(cast.maya), url(cast, "choose-tier", sale.pro.pk))

        assert running(cast).plan_on(timezone.now().date()).name == "Pro"


class TestKeep:
    def test_undoes_a_change_before_its_day(self, cast, sale, as_):
        choose(cast, sale.starter)
        choose(cast, sale.pro)

        page = as_(cast.maya).post(url(cast, "keep-plan"), follow=True)

        assert "Undo: keep" not in page.text
        assert running(cast).plan_on(running(cast).next_invoice).name == "Starter"

    def test_is_refused_on_the_plan_page_where_nothing_is_scheduled(self, cast, sale, as_):
        choose(cast, sale.starter)

        page = as_(cast.maya).post(url(cast, "keep-plan"))

        assert page.status_code == 409
        assert "Nothing is scheduled any more that could be undone." in page.text
        assert "All tiers" in page.text


class TestFirstSteps:
    def overview(self, cast, as_, user=None):
        path = reverse("overview", args=[cast.revampd_northwind.pk])
        return as_(user or cast.maya).get(path).text

    def test_begin_with_the_address(self, cast, sale, as_):
        page = self.overview(cast, as_)

        assert "1 of 4 done" in page
        assert "Say who you are" in page
        assert reverse("connections:settings", args=[cast.northwind.slug]) in page

    def test_lead_to_the_tiers(self, cast, sale, as_):
        cast.northwind.change_details(by=cast.maya, address="1 Main Street")
        add_card(cast.revampd_northwind, by=cast.maya, at=timezone.now())

        page = self.overview(cast, as_)

        assert "3 of 4 done" in page
        assert f"{url(cast)}#tiers" in page

    def test_are_gone_when_all_are_done(self, cast, sale, as_):
        cast.northwind.change_details(by=cast.maya, address="1 Main Street")
        add_card(cast.revampd_northwind, by=cast.maya, at=timezone.now())
        choose(cast, sale.starter)

        assert "irst steps" not in self.overview(cast, as_)

    def test_stand_in_short_on_the_other_side(self, cast, sale, as_):
        page = self.overview(cast, as_, cast.rhea)

        assert "It waits for: its address, a payment method, a tier." in page
