"""Billing in the admin: read-only where rows only grow, verbs elsewhere, amounts as decimals."""

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import AddOn, Plan, PlanVersion, PriceLimits
from connections.models import Event, User
from tests.billing.deals import many_requests, propose, queries, run

PAGES = (
    *("plan", "planversion", "addon", "onetimecharge", "pricelimits", "billingrequest"),
    *("subscription", "subscriptionitem", "invoice", "invoiceline", "invoiceseries"),
)


@pytest.fixture
def staff(cast, as_) -> Client:
    rhea = User.objects.get(pk=cast.rhea.pk)
    rhea.is_superuser = True
    rhea.save(update_fields=["is_superuser"])
    cast.rhea = rhea
    return as_(rhea)


def listed(model: str) -> str:
    return reverse(f"admin:billing_{model}_changelist")


def text(response) -> str:
    return response.content.decode()


class TestEveryList:
    @pytest.mark.parametrize("model", PAGES)
    def test_opens_with_search_and_shows_a_row(self, cast, staff, model):
        run(cast)
        run(cast, cast.setup)

        page = staff.get(listed(model), {"q": "1"} if model != "pricelimits" else {})
        rows = staff.get(listed(model)).context["cl"].result_list

        assert page.status_code == 200
        change = reverse(f"admin:billing_{model}_change", args=[rows[0].pk])
        assert staff.get(change).status_code == 200

    @pytest.mark.parametrize("model", PAGES)
    def test_adds_and_deletes_nothing(self, cast, staff, model):
        run(cast)
        row = staff.get(listed(model)).context["cl"].result_list[0]

        assert staff.get(reverse(f"admin:billing_{model}_add")).status_code == 403
        delete = reverse(f"admin:billing_{model}_delete", args=[row.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("model", [page for page in PAGES if page != "pricelimits"])
    def test_changes_nothing(self, cast, staff, model):
        run(cast)
        row = staff.get(listed(model)).context["cl"].result_list[0]

        change = reverse(f"admin:billing_{model}_change", args=[row.pk])
        assert staff.post(change, {"name": "Changed"}).status_code == 403

    def test_shows_amounts_as_money(self, cast, staff):
        run(cast)

        assert "$149.00" in text(staff.get(listed("invoice")))
        assert "14900" not in text(staff.get(listed("planversion")))

    def test_costs_the_same_with_many_rows(self, cast, staff):
        pattern = propose(cast)
        few = queries(staff, listed("billingrequest"))
        many_requests(pattern, 40)

        assert queries(staff, listed("billingrequest")) == few


class TestPriceLimits:
    VALUES = {
        "max_base_price": "1200.50",
        "max_usage_fee": "500.00",
        "min_plan_total": "45.00",
        "max_add_on": "1000.00",
        "max_one_time": "1000.00",
    }

    def test_are_changed_in_decimals_and_recorded(self, cast, staff):
        path = reverse("admin:billing_pricelimits_change", args=["USD"])
        assert 'value="1000.00"' in text(staff.get(path))

        staff.post(path, self.VALUES)

        limits = PriceLimits.objects.get()
        assert limits.max_base_price == 1200_50
        event = Event.objects.about(limits).get()
        assert event.actor == cast.rhea
        assert event.facts["after"]["max_base_price"]["minor"] == 1200_50

    @pytest.mark.parametrize("typed", ["-1", "1e3", "NaN", "1_000", "0"])
    def test_refuse_what_is_no_limit(self, cast, staff, typed):
        path = reverse("admin:billing_pricelimits_change", args=["USD"])

        page = staff.post(path, self.VALUES | {"max_base_price": typed})

        assert page.status_code == 200
        assert page.context["errors"]
        assert PriceLimits.objects.get().max_base_price == 1000_00


class TestActions:
    def act(self, staff: Client, model: str, action: str, *rows) -> str:
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        return text(staff.post(listed(model), data, follow=True))

    def test_archive_what_is_on_sale(self, cast, staff):
        self.act(staff, "addon", "archive", cast.phone_numbers)
        self.act(staff, "plan", "archive", cast.growth.plan)

        assert AddOn.objects.get(pk=cast.phone_numbers.pk).archived_at
        assert Plan.objects.get(pk=cast.growth.plan.pk).archived_at

    def test_say_which_row_refused(self, cast, staff):
        self.act(staff, "addon", "archive", cast.phone_numbers)

        page = self.act(staff, "addon", "archive", cast.phone_numbers)

        assert "Phone number is off sale already." in page

    def test_retire_a_version(self, cast, staff):
        self.act(staff, "planversion", "retire", cast.growth)

        assert PlanVersion.objects.get(pk=cast.growth.pk).retired_at
