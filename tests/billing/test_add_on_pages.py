"""Revampd's add-ons: taking some, giving some back, undoing that, on both kinds of connection."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from billing.cycle import bill_due
from billing.models import BillingRequest, SelfService, Subscription
from billing.pricing import ItemKind, Running
from tests.billing.deals import HTMX, queries
from tests.billing.tiering import add, choose, own, put_on_sale, serve


@pytest.fixture
def sale(cast):
    return put_on_sale(cast)


@pytest.fixture
def running(cast, sale):
    """Starter, ten days old."""
    return choose(cast, sale.starter, at=timezone.now() - timedelta(days=10))


def url(cast, name: str = "add-ons", *args) -> str:
    return reverse(f"billing:{name}", args=[cast.revampd_northwind.pk, *args])


def runs(cast) -> Running:
    return Subscription.running_on(cast.revampd_northwind)


def add_ons(cast, day) -> list[tuple[int, str]]:
    items = [item for item in runs(cast).items if item.kind == ItemKind.ADD_ON]
    return [(item.quantity, item.name) for item in items if item.runs_on(day)]


def buy(browser, path: str, quantity: int):
    """Type a quantity, look at the price, press the button."""
    shown = browser.post(path, {"quantity": quantity, "preview": "1"})
    seal = shown.context["prospect"].seal
    return browser.post(path, {"quantity": quantity, "seal": seal}, follow=True)


class TestPage:
    def test_shows_what_runs_and_what_is_on_sale(self, cast, sale, running, as_):
        add(cast, sale.numbers, 3)
        serve(cast, sale.training)

        page = as_(cast.maya).get(url(cast)).text

        for words in ("3 × Phone number", "$12.00", "A local one.", "Training", "$250.00"):
            assert words in page
        assert url(cast, "choose-add-on", sale.numbers.pk) in page

    def test_is_for_reading_to_everybody_else(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)

        for reader in (cast.vera, cast.dana, cast.rhea):
            page = as_(reader).get(url(cast)).text
            assert "3 × Phone number" in page
            assert url(cast, "choose-add-on", sale.numbers.pk) not in page
            assert url(cast, "remove-add-on", request.pk) not in page

    def test_leads_to_the_tiers_while_none_runs(self, cast, sale, as_):
        page = as_(cast.maya).get(url(cast)).text

        assert "Add-ons join a tier, and none runs." in page
        assert url(cast, "choose-add-on", sale.numbers.pk) not in page

    def test_is_not_there_between_a_partner_and_its_sub_org(self, cast, sale, as_):
        path = reverse("billing:add-ons", args=[cast.northwind_bluebird.pk])

        for user in (cast.ben, cast.maya):
            assert as_(user).get(path).status_code == 404
        assert path not in as_(cast.ben).get(f"/connections/{cast.northwind_bluebird.pk}/").text

    def test_stands_in_the_menu_after_the_plan(self, cast, sale, as_):
        page = as_(cast.maya).get(url(cast)).text

        assert (
            page.index(url(cast, "plan"))
            < page.index(url(cast))
            < page.index(url(cast, "invoices"))
        )

    def test_costs_the_same_with_many(self, cast, sale, running, as_):
        add(cast, sale.numbers)
        serve(cast, sale.training)
        few = queries(as_(cast.maya), url(cast))
        for _ in range(8):
            add(cast, sale.numbers)
            serve(cast, sale.training)

        assert queries(as_(cast.maya), url(cast)) == few <= 10


class TestChoose:
    def test_says_what_it_costs_before(self, cast, sale, running, as_):
        path = url(cast, "choose-add-on", sale.numbers.pk)
        day = runs(cast).next_invoice
        period = day - running.items.get().start_date
        left = day - timezone.now().date()

        page = as_(cast.maya).post(path, {"quantity": "3", "preview": "1"}, headers=HTMX)
        prospect = page.context["prospect"]

        days, whole = left.days, period.days
        assert prospect.for_the_rest.minor == 12_00 - 12_00 * (whole - days) // whole
        assert f"<b>{prospect.for_the_rest}</b> for the rest of this period" in page.text
        assert "then <b>$12.00</b> each month" in page.text
        assert "<html" not in page.text
        assert add_ons(cast, day) == []

    def test_adds_from_today_and_bills_what_was_shown(self, cast, sale, running, as_):
        path = url(cast, "choose-add-on", sale.numbers.pk)
        shown = as_(cast.maya).post(path, {"quantity": "3", "preview": "1"}).context["prospect"]

        page = buy(as_(cast.maya), path, 3)
        bill_due(shown.invoice_day, at=timezone.now())

        assert "You have 3 × Phone number from today on." in page.text
        assert f"The invoice of {spoken(shown.invoice_day)} charges the days" in page.text
        assert add_ons(cast, timezone.now().date()) == [(3, "Phone number")]
        invoice = cast.revampd_northwind.invoices.newest_first().first()
        assert invoice.total_money == shown.invoice_after
        amounts = invoice.lines.filter(kind="ADD_ON").values_list("amount", flat=True)
        assert sorted(amounts) == sorted([shown.for_the_rest.minor, 12_00])

    def test_takes_nothing_whose_price_was_not_shown(self, cast, sale, running, as_):
        path = url(cast, "choose-add-on", sale.numbers.pk)
        seal = as_(cast.maya).get(path).context["prospect"].seal

        page = as_(cast.maya).post(path, {"quantity": "30", "seal": seal})

        assert page.status_code == 409
        assert "Nothing was changed yet." in page.text
        assert "$120.00" in page.text
        assert add_ons(cast, timezone.now().date()) == []

    def test_adds_once_if_it_is_sent_twice(self, cast, sale, running, as_):
        path = url(cast, "choose-add-on", sale.numbers.pk)
        seal = as_(cast.maya).get(path).context["prospect"].seal

        answers = [as_(cast.maya).post(path, {"quantity": "1", "seal": seal}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 409]
        assert add_ons(cast, timezone.now().date()) == [(1, "Phone number")]

    @pytest.mark.parametrize("typed", ["0", "-1", "1.5", "", "10001", "many", "٣"])
    def test_wants_a_whole_number(self, cast, sale, running, as_, typed):
        page = as_(cast.maya).post(
            url(cast, "choose-add-on", sale.numbers.pk), {"quantity": typed, "seal": "x"}
        )

        assert page.status_code == 422
        assert page.context["form"].errors["quantity"]
        assert not BillingRequest.objects.filter(kind=ItemKind.ADD_ON).exists()

    def test_works_on_a_sub_orgs_own_connection_without_a_plan(self, cast, sale, as_):
        connection = cast.revampd_bluebird
        path = reverse("billing:choose-add-on", args=[connection.pk, sale.numbers.pk])

        page = buy(as_(cast.ben), path, 2)

        assert "2 × Phone number" in page.text
        [invoice] = connection.invoices.all()
        assert invoice.total == 8_00
        for name in ("plan", "invoices", "wallet", "payment-methods"):
            answer = as_(cast.ben).get(reverse(f"billing:{name}", args=[connection.pk]))
            assert answer.status_code == 200


class TestRemove:
    def test_says_what_stays(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)
        path = url(cast, "remove-add-on", request.pk)

        page = as_(cast.maya).post(path, {"quantity": "1", "preview": "1"}, headers=HTMX).text

        assert "<b>2</b> of 3 stay." in page
        assert f"From {spoken(runs(cast).next_invoice)}" in without_tags(page)
        assert "<b>$8.00</b> each month for it instead of $12.00" in page
        assert add_ons(cast, runs(cast).next_invoice) == [(3, "Phone number")]

    def test_ends_some_with_the_period_and_can_be_undone(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)
        day = runs(cast).next_invoice

        page = as_(cast.maya).post(
            url(cast, "remove-add-on", request.pk), {"quantity": "1"}, follow=True
        )

        assert f"Phone number ends on {spoken(day)}. You can undo it until then." in page.text
        assert add_ons(cast, day - timedelta(days=1)) == [(3, "Phone number")]
        assert add_ons(cast, day) == [(2, "Phone number")]
        [undo] = [one for one in page.context["add_ons"] if one.may_be_retained]

        page = as_(cast.maya).post(url(cast, "retain-add-on", undo.item.request_id), follow=True)

        assert "Undone." in page.text
        assert add_ons(cast, day) == [(3, "Phone number")]

    def test_ends_all_with_the_period_and_can_be_undone(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)
        day = runs(cast).next_invoice

        page = as_(cast.maya).post(
            url(cast, "remove-add-on", request.pk), {"quantity": "3"}, follow=True
        )

        assert "Removed" in page.text
        assert add_ons(cast, day) == []
        as_(cast.maya).post(url(cast, "retain-add-on", request.pk))
        assert add_ons(cast, day) == [(3, "Phone number")]

    def test_outlives_a_cancellation_that_is_undone(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)
        as_(cast.maya).post(url(cast, "remove-add-on", request.pk), {"quantity": "1"})
        day = runs(cast).next_invoice

        for name in ("cancel-plan", "keep-plan"):
            as_(cast.maya).post(url(cast, name))

        assert add_ons(cast, day - timedelta(days=1)) == [(3, "Phone number")]
        assert add_ons(cast, day) == [(2, "Phone number")]

    @pytest.mark.parametrize("typed", ["0", "4", "-1", "x"])
    def test_wants_a_number_of_those_that_run(self, cast, sale, running, as_, typed):
        request = add(cast, sale.numbers, 3)

        page = as_(cast.maya).post(url(cast, "remove-add-on", request.pk), {"quantity": typed})

        assert page.status_code == 422
        assert add_ons(cast, runs(cast).next_invoice) == [(3, "Phone number")]

    def test_is_not_there_for_what_does_not_run(self, cast, sale, running, as_):
        theirs = SelfService(cast.revampd_bluebird).add(
            sale.numbers, 1, by=cast.ben, at=timezone.now()
        )

        for name in ("remove-add-on", "retain-add-on"):
            for request in (running, theirs):
                assert as_(cast.maya).post(url(cast, name, request.pk)).status_code == 404

    def test_cannot_be_undone_once_everything_ends(self, cast, sale, running, as_):
        request = add(cast, sale.numbers, 3)
        own(cast).cancel(by=cast.maya, at=timezone.now())

        page = as_(cast.maya).post(url(cast, "retain-add-on", request.pk))

        assert page.status_code == 409
        assert "Keep Starter first." in page.text


def spoken(day) -> str:
    return date_format(day, "j M Y")


def without_tags(page: str) -> str:
    return re.sub(r"<[^>]+>", "", page)
