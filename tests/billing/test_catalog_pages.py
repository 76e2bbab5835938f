"""The catalog of a Partner: what members see, and what its forms refuse."""

import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.forms.catalog import VersionForm
from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion, PriceLimits
from connections.models import Event
from tests.billing.deals import HTMX, MARKUP, queries, run
from tests.cast import LONG_AGO, Cast
from tests.pages import text


def url(cast: Cast, name: str, *keys: object) -> str:
    return reverse(f"catalog:{name}", args=[cast.northwind.slug, *keys])


PRICES = {"base_price": "149.00", "booking_fee": "", "transfer_fee": "", "interval": "MONTH"}
PLAN = {"name": "Starter", "description": "For a start", **PRICES}
EXTRA = {"name": "Extra seat", "description": "", "unit_price": "15"}

UNREADABLE = ["-1", "49.999", "NaN", "1e3", "４９", "1_000", "", "free", "\x00", "9" * 5000]


class TestCatalogPage:
    @pytest.mark.parametrize("name", ["maya", "noah", "dana", "vera"])
    def test_is_read_by_all_members(self, cast, as_, name):
        page = as_(getattr(cast, name)).get(url(cast, "catalog"))

        assert page.status_code == 200
        assert "Growth" in text(page)
        assert "$149.00" in text(page)
        assert "Basic" not in text(page)

    def test_has_no_buttons_for_who_may_not_change_it(self, cast, as_):
        assert url(cast, "launch-plan") in text(as_(cast.noah).get(url(cast, "catalog")))
        assert url(cast, "launch-plan") not in text(as_(cast.vera).get(url(cast, "catalog")))

    def test_is_not_there_for_others(self, cast, as_):
        assert as_(cast.ben).get(url(cast, "catalog")).status_code == 404
        own = reverse("catalog:catalog", args=[cast.bluebird.slug])
        assert as_(cast.ben).get(own).status_code == 404

    def test_is_there_for_the_platform_too(self, cast, as_):
        path = reverse("catalog:catalog", args=[cast.revampd.slug])

        assert as_(cast.rhea).get(path).status_code == 200

    def test_counts_the_subscribers_of_each_version(self, cast, as_):
        run(cast)

        page = as_(cast.vera).get(url(cast, "catalog"))

        plan = next(plan for plan in page.context["rows"] if plan.name == "Growth")
        subscribers = {version.number: version.subscribers for version in plan.versions.all()}
        assert subscribers == {1: 1, 2: 0}

    @pytest.mark.parametrize("kind", ["add-ons", "one-time-charges", "nonsense"])
    def test_shows_the_other_kinds(self, cast, as_, kind):
        page = as_(cast.vera).get(url(cast, "catalog"), {"kind": kind})

        expected = {"add-ons": "Phone number", "one-time-charges": "Setup"}.get(kind, "Growth")
        assert expected in text(page)

    @pytest.mark.parametrize("kind", ["plans", "add-ons", "one-time-charges"])
    def test_costs_the_same_with_ten_and_a_thousand_rows(self, cast, as_, kind):
        path = f"{url(cast, 'catalog')}?kind={kind}"
        self.stock(cast, kind, range(10))
        few = queries(as_(cast.maya), path)

        self.stock(cast, kind, range(10, 1000))

        assert queries(as_(cast.maya), path) == few <= 10
        assert len(as_(cast.maya).get(path).context["rows"]) == 25

    def stock(self, cast, kind: str, numbers: range) -> None:
        offered = {"provider": cast.northwind}
        if kind == "plans":
            plans = [Plan(name=f"Plan {number}", **offered) for number in numbers]
            Plan.objects.bulk_create(plans)
            PlanVersion.objects.bulk_create(
                PlanVersion(
                    plan=plan, number=1, interval="MONTH", base_price=99_00,
                    published_at=LONG_AGO, **offered,
                )
                for plan in plans
            )  # fmt: skip
            return
        model: Any = AddOn if kind == "add-ons" else OneTimeCharge
        model.objects.bulk_create(
            model(name=f"Item {number}", unit_price=5_00, **offered) for number in numbers
        )


class TestLaunchPlan:
    def test_puts_a_plan_on_sale_with_its_first_version(self, cast, as_):
        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN)

        plan = Plan.objects.get(name="Starter")
        version = plan.versions.get()
        assert page["Location"] == url(cast, "plan", plan.pk)
        assert (version.number, version.interval, version.base_price) == (1, "MONTH", 149_00)

    def test_explains_the_limits(self, cast, as_):
        page = text(as_(cast.noah).get(url(cast, "launch-plan")))

        assert "At most $1,000.00 an interval." in page
        assert "At most $500.00." in page
        assert "at least $45.00" in page

    @pytest.mark.parametrize("field", ["base_price", "booking_fee", "transfer_fee"])
    @pytest.mark.parametrize("typed", UNREADABLE)
    def test_refuses_a_price_that_is_none(self, cast, as_, field, typed):
        if typed == "" and field != "base_price":
            return

        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN | {field: typed}, headers=HTMX)

        assert page.status_code == 422
        assert list(page.context["form"].errors) == [field]
        assert not Plan.objects.filter(name="Starter").exists()

    @pytest.mark.parametrize(
        ("prices", "field", "sentence"),
        [
            ({"base_price": "1000.01"}, "base_price", "Enter at most $1,000.00."),
            ({"booking_fee": "500.01"}, "booking_fee", "Enter at most $500.00."),
            ({"transfer_fee": "99999"}, "transfer_fee", "Enter at most $500.00."),
            ({"base_price": "44.99"}, "base_price", "must come to at least $45.00"),
            ({"base_price": "20", "booking_fee": "24.99"}, "base_price", "come to $44.99"),
        ],
    )
    def test_refuses_what_is_outside_the_limits(self, cast, as_, prices, field, sentence):
        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN | prices)

        assert page.status_code == 422
        assert sentence in page.context["form"].errors[field][0]
        for typed in prices.values():
            assert f'value="{typed}"' in text(page)

    @pytest.mark.parametrize("prices", [{"base_price": "1,000.00"}, {"base_price": "$45"}])
    def test_takes_what_is_just_within_the_limits(self, cast, as_, prices):
        assert as_(cast.noah).post(url(cast, "launch-plan"), PLAN | prices).status_code == 303

    def test_takes_limits_that_staff_changed(self, cast, as_):
        PriceLimits.objects.get().change(by=cast.rhea, max_base_price=100_00)

        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN)

        assert "Enter at most $100.00." in text(page)

    def test_answers_in_words_when_only_the_database_refuses(self, cast, as_, monkeypatch):
        """The limits were lowered between the check of the form and the writing."""
        monkeypatch.setattr(VersionForm, "is_valid", _valid_before(cast))

        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN)

        assert page.status_code == 422
        assert "limits have changed meanwhile" in text(page)
        assert not Plan.objects.filter(name="Starter").exists()

    def test_refuses_a_name_that_is_taken(self, cast, as_):
        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN | {"name": "growth"})

        assert page.status_code == 422
        assert "named growth already" in page.context["form"].errors["name"][0]

    @pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\x00b"])
    def test_refuses_a_name_that_is_none(self, cast, as_, name):
        page = as_(cast.noah).post(url(cast, "launch-plan"), PLAN | {"name": name})

        assert page.status_code == 422
        assert "name" in page.context["form"].errors

    def test_shows_markup_as_text(self, cast, as_):
        data = PLAN | {"name": MARKUP, "description": MARKUP + "{name}"}

        page = as_(cast.noah).post(url(cast, "launch-plan"), data, follow=True)

        assert page.status_code == 200
        assert MARKUP not in text(page)

    @pytest.mark.parametrize(("name", "status"), [("vera", 403), ("dana", 403), ("ben", 404)])
    def test_is_only_for_owners_and_billing(self, cast, as_, name, status):
        page = as_(getattr(cast, name)).post(url(cast, "launch-plan"), PLAN)

        assert page.status_code == status

    def test_takes_a_tier_of_the_platform_without_limits(self, cast, as_):
        path = reverse("catalog:launch-plan", args=[cast.revampd.slug])
        tier = PLAN | {"base_price": "2997", "transaction_fee": "2.5", "max_sub_orgs": "25"}

        page = as_(cast.rhea).post(path, tier)

        version = PlanVersion.objects.get(provider=cast.revampd)
        assert page.status_code == 303
        assert (version.base_price, version.transaction_fee) == (2997_00, 250)
        assert (version.max_sub_orgs, version.max_campaigns) == (25, None)

    @pytest.mark.parametrize("typed", ["NaN", "100.01", "-1", "2.555", "２"])
    def test_refuses_a_percentage_that_is_none(self, cast, as_, typed):
        path = reverse("catalog:launch-plan", args=[cast.revampd.slug])

        page = as_(cast.rhea).post(path, PLAN | {"transaction_fee": typed})

        assert page.status_code == 422
        assert list(page.context["form"].errors) == ["transaction_fee"]


def _valid_before(cast: Cast):
    """`is_valid` of a form whose limits staff lower right after it has looked."""
    check = VersionForm.is_valid

    def is_valid(form: VersionForm) -> bool:
        valid = check(form)
        PriceLimits.objects.get().change(by=cast.rhea, max_base_price=100_00)
        return valid

    return is_valid


class TestPublishVersion:
    def test_is_used_by_new_offers_while_subscribers_keep_theirs(self, cast, as_):
        request = run(cast)
        plan = cast.growth.plan

        as_(cast.noah).post(
            url(cast, "publish-version", plan.pk),
            PRICES | {"base_price": "159", "booking_fee": "2"},
        )

        newest = PlanVersion.objects.filter(plan=plan, interval="MONTH").newest().get()
        assert (newest.number, newest.base_price, newest.booking_fee) == (3, 159_00, 2_00)
        assert request.items.get().unit_price == 149_00

    def test_is_refused_for_a_plan_off_sale(self, cast, as_):
        plan = cast.growth.plan
        plan.archive(by=cast.maya, at=timezone.now())

        page = as_(cast.noah).post(url(cast, "publish-version", plan.pk), PRICES)

        assert page.status_code == 409
        assert "Growth is off sale." in text(page)

    def test_is_not_there_for_a_plan_of_another_partner(self, cast, as_):
        foreign = cast.contoso_basic.plan.pk

        for key in (foreign, uuid.uuid4()):
            page = as_(cast.noah).post(url(cast, "publish-version", key), PRICES)
            assert page.status_code == 404


class TestRetireVersion:
    def test_keeps_its_subscribers(self, cast, as_):
        run(cast)
        plan = cast.growth.plan

        page = as_(cast.noah).post(url(cast, "retire-version", plan.pk, 1), follow=True)

        cast.growth.refresh_from_db()
        assert cast.growth.retired_at
        assert "Version 1 is retired. Its subscribers keep it." in text(page)

    def test_happens_once(self, cast, as_):
        path = url(cast, "retire-version", cast.growth.plan.pk, 1)
        as_(cast.noah).post(path)

        page = as_(cast.maya).post(path)

        assert page.status_code == 409
        assert "Version 1 is retired already." in text(page)

    @pytest.mark.parametrize("number", [0, 99, 10**30])
    def test_is_not_there_for_an_unknown_version(self, cast, as_, number):
        path = url(cast, "retire-version", cast.growth.plan.pk, number)

        assert as_(cast.noah).post(path).status_code == 404


class TestPlanDetail:
    def test_costs_the_same_with_ten_and_a_thousand_versions(self, cast, as_):
        plan = cast.scale.plan
        path = url(cast, "plan", plan.pk)

        def publish(numbers: range) -> None:
            PlanVersion.objects.bulk_create(
                PlanVersion(
                    plan=plan, provider=cast.northwind, number=number, interval="MONTH",
                    base_price=99_00, published_at=LONG_AGO,
                )
                for number in numbers
            )  # fmt: skip

        publish(range(2, 12))
        few = queries(as_(cast.maya), path)
        publish(range(12, 1002))

        assert queries(as_(cast.maya), path) == few <= 10

    def test_offers_its_acts_only_to_who_may_use_them(self, cast, as_):
        path = url(cast, "plan", cast.growth.plan.pk)
        acts = [
            url(cast, "publish-version", cast.growth.plan.pk),
            url(cast, "retire-version", cast.growth.plan.pk, 1),
            url(cast, "archive-plan", cast.growth.plan.pk),
        ]

        assert all(act in text(as_(cast.noah).get(path)) for act in acts)
        assert not any(act in text(as_(cast.vera).get(path)) for act in acts)


class TestChangeAndArchivePlan:
    def test_changes_name_and_description(self, cast, as_):
        plan = cast.growth.plan

        as_(cast.noah).post(
            url(cast, "change-plan", plan.pk), {"name": "Growth Plus", "description": "More"}
        )

        plan.refresh_from_db()
        assert (plan.name, plan.description) == ("Growth Plus", "More")
        assert Event.objects.about(plan).filter(code="catalog_item.changed").exists()

    def test_archives_once(self, cast, as_):
        path = url(cast, "archive-plan", cast.growth.plan.pk)

        assert as_(cast.noah).post(path).status_code == 303
        again = as_(cast.noah).post(path)

        assert again.status_code == 409
        assert "Growth is off sale already." in text(again)
        shown = as_(cast.noah).get(url(cast, "catalog"), {"show": "archived"})
        assert "Growth" in text(shown)


@pytest.mark.parametrize(
    ("stem", "model", "limit"),
    [("add-on", AddOn, "$1,000.00"), ("charge", OneTimeCharge, "$1,000.00")],
)
class TestExtras:
    def test_are_put_on_sale(self, cast, as_, stem, model, limit):
        page = as_(cast.noah).post(url(cast, f"offer-{stem}"), EXTRA)

        assert page.status_code == 303
        assert model.objects.get(name="Extra seat").unit_price == 15_00

    def test_explain_their_limit(self, cast, as_, stem, model, limit):
        assert f"At most {limit}" in text(as_(cast.noah).get(url(cast, f"offer-{stem}")))

    @pytest.mark.parametrize("typed", [*UNREADABLE, "0", "1000.01"])
    def test_are_refused_with_a_price_that_is_none(self, cast, as_, stem, model, limit, typed):
        page = as_(cast.noah).post(url(cast, f"offer-{stem}"), EXTRA | {"unit_price": typed})

        assert page.status_code == 422
        assert list(page.context["form"].errors) == ["unit_price"]
        assert not model.objects.filter(name="Extra seat").exists()

    def test_say_that_what_was_approved_keeps_its_price(self, cast, as_, stem, model, limit):
        item = model.objects.get(provider=cast.northwind)

        page = text(as_(cast.noah).get(url(cast, f"change-{stem}", item.pk)))

        assert "What was approved" in page
        assert f'value="{item.price.decimal}"' in page

    def test_change_their_price_for_new_offers(self, cast, as_, stem, model, limit):
        item = model.objects.get(provider=cast.northwind)

        as_(cast.noah).post(
            url(cast, f"change-{stem}", item.pk), EXTRA | {"name": item.name, "unit_price": "7.50"}
        )

        item.refresh_from_db()
        assert item.unit_price == 7_50

    def test_are_archived_once(self, cast, as_, stem, model, limit):
        item = model.objects.get(provider=cast.northwind)
        path = url(cast, f"archive-{stem}", item.pk)

        assert as_(cast.noah).post(path).status_code == 303
        assert as_(cast.noah).post(path).status_code == 409

    def test_of_others_are_not_there(self, cast, as_, stem, model, limit):
        foreign = model.offer(provider=cast.contoso, by=cast.oscar, name="Theirs", unit_price=1_00)

        for key in (foreign.pk, uuid.uuid4()):
            assert as_(cast.noah).get(url(cast, f"change-{stem}", key)).status_code == 404
            assert as_(cast.noah).post(url(cast, f"archive-{stem}", key)).status_code == 404

    @pytest.mark.parametrize(("name", "status"), [("vera", 403), ("dana", 403), ("oscar", 404)])
    def test_are_changed_by_owners_and_billing(self, cast, as_, stem, model, limit, name, status):
        browser = as_(getattr(cast, name))

        assert browser.post(url(cast, f"offer-{stem}"), EXTRA).status_code == status
