"""The catalog: immutable versions, names that are taken once, and what new offers use."""

import pytest

from billing.models import AddOn, OneTimeCharge, Plan, PlanVersion, PriceLimits
from billing.models.catalog import NameTaken, NotOnSale
from billing.pricing import Interval
from connections.models import Event
from revampd.kit.money import Money
from tests.billing.acts import NOW

FAX = {"name": "Fax line", "unit_price": 5_00}


def codes(item) -> list[str]:
    return list(Event.objects.about(item).order_by("id").values_list("code", flat=True))


class TestOffer:
    def test_puts_it_on_sale_and_records_who_did(self, cast):
        item = AddOn.offer(provider=cast.northwind, by=cast.maya, **FAX)

        assert item.is_on_sale
        assert item in AddOn.objects.on_sale()
        event = Event.objects.about(item).get()
        assert (event.code, event.actor, event.organization) == (
            "catalog_item.offered",
            cast.maya,
            cast.northwind,
        )

    @pytest.mark.parametrize("name", ["Phone number", "PHONE NUMBER", "phone number"])
    def test_takes_a_name_once(self, cast, name):
        with pytest.raises(NameTaken, match="One of your add-ons is named") as refusal:
            AddOn.offer(provider=cast.northwind, by=cast.maya, name=name, unit_price=1_00)

        assert refusal.value.field == "name"

    def test_lets_other_providers_and_other_things_have_the_name(self, cast):
        name = cast.phone_numbers.name

        AddOn.offer(provider=cast.contoso, by=cast.oscar, name=name, unit_price=1_00)
        OneTimeCharge.offer(provider=cast.northwind, by=cast.maya, name=name, unit_price=1_00)

    def test_lets_the_name_of_something_archived_be_used_again(self, cast):
        cast.phone_numbers.archive(by=cast.maya, at=NOW)

        again = AddOn.offer(
            provider=cast.northwind, by=cast.maya, name="Phone number", unit_price=3_00
        )

        assert [item.pk for item in AddOn.objects.on_sale()] == [again.pk]


class TestChange:
    def test_keeps_what_stood_there_before(self, cast):
        cast.phone_numbers.change(by=cast.noah, name="Local number", unit_price=3_00)

        item = AddOn.objects.get(pk=cast.phone_numbers.pk)
        assert (item.name, item.price) == ("Local number", Money(3_00))
        assert cast.phone_numbers.name == "Local number"
        facts = Event.objects.about(item).get(code="catalog_item.changed").facts
        assert facts["before"] == {"name": "Phone number", "unit_price": 2_50}
        assert facts["after"] == {"name": "Local number", "unit_price": 3_00}

    def test_to_the_same_is_no_change(self, cast):
        cast.phone_numbers.change(by=cast.maya, name="Phone number", unit_price=2_50)

        assert codes(cast.phone_numbers) == ["catalog_item.offered"]

    def test_may_change_the_case_of_its_own_name(self, cast):
        cast.phone_numbers.change(by=cast.maya, name="PHONE number")

        assert AddOn.objects.get(pk=cast.phone_numbers.pk).name == "PHONE number"

    def test_takes_no_name_that_is_taken(self, cast):
        fax = AddOn.offer(provider=cast.northwind, by=cast.maya, **FAX)

        with pytest.raises(NameTaken):
            fax.change(by=cast.maya, name="phone NUMBER")

        assert AddOn.objects.get(pk=fax.pk).name == "Fax line"


class TestArchive:
    @pytest.mark.parametrize("name", ["phone_numbers", "setup"])
    def test_takes_it_off_sale_once(self, cast, name):
        item = getattr(cast, name)

        item.archive(by=cast.maya, at=NOW)

        assert not item.is_on_sale
        assert item.archived_at == NOW
        with pytest.raises(NotOnSale, match="off sale already"):
            item.archive(by=cast.maya, at=NOW)
        assert codes(item) == ["catalog_item.offered", "catalog_item.archived"]

    def test_of_a_plan_takes_its_versions_along(self, cast):
        cast.growth.plan.archive(by=cast.maya, at=NOW)

        versions = PlanVersion.objects.filter(plan=cast.growth.plan)
        assert not versions.active().exists()
        assert not any(version.is_on_sale for version in versions)


class TestPublish:
    def test_numbers_versions_in_order(self, cast):
        plan = cast.scale.plan

        made = [
            plan.publish(by=cast.maya, at=NOW, interval=Interval.MONTH, base_price=300_00 + n)
            for n in range(3)
        ]

        assert [version.number for version in made] == [2, 3, 4]
        event = Event.objects.about(made[0]).get()
        assert (event.code, event.facts["number"]) == ("plan_version.published", 2)
        assert event.facts["price"] == {"minor": 300_00, "currency": "USD"}

    def test_leaves_earlier_versions_as_they_are(self, cast):
        cast.growth.plan.publish(by=cast.maya, at=NOW, interval="MONTH", base_price=199_00)

        assert PlanVersion.objects.get(pk=cast.growth.pk).price == Money(149_00)

    def test_is_refused_off_sale(self, cast):
        plan = cast.scale.plan
        plan.archive(by=cast.maya, at=NOW)

        with pytest.raises(NotOnSale, match="Scale is off sale"):
            plan.publish(by=cast.maya, at=NOW, interval="MONTH", base_price=100_00)

    def test_keeps_usage_fees(self, cast):
        version = cast.scale.plan.publish(
            by=cast.maya, at=NOW, interval="YEAR", base_price=45_00, booking_fee=25, transfer_fee=9
        )

        assert (version.booking_price, version.transfer_price) == (Money(25), Money(9))
        assert (version.interval_label, version.name) == ("year", "Scale")


class TestNewest:
    def test_is_one_for_each_plan_and_interval(self, cast):
        newer = cast.growth.plan.publish(by=cast.maya, at=NOW, interval="MONTH", base_price=159_00)

        newest = PlanVersion.objects.filter(provider=cast.northwind).newest()
        assert set(newest) == {newer, cast.growth_yearly, cast.scale}

    def test_falls_back_when_the_newest_is_retired(self, cast):
        newer = cast.growth.plan.publish(by=cast.maya, at=NOW, interval="MONTH", base_price=159_00)
        newer.retire(by=cast.maya, at=NOW)

        newest = PlanVersion.objects.filter(provider=cast.northwind).newest()
        assert set(newest) == {cast.growth, cast.growth_yearly, cast.scale}


class TestRetire:
    def test_happens_once(self, cast):
        cast.growth.retire(by=cast.maya, at=NOW)

        assert not cast.growth.is_on_sale
        with pytest.raises(NotOnSale, match="Version 1 is retired already"):
            cast.growth.retire(by=cast.maya, at=NOW)
        assert codes(cast.growth) == ["plan_version.published", "plan_version.retired"]


class TestPriceLimits:
    def test_are_those_of_the_price_list(self, db):
        limits = PriceLimits.of("USD")

        assert limits.money("max_base_price") == Money(1_000_00)
        assert limits.money("max_usage_fee") == Money(500_00)
        assert limits.money("min_plan_total") == Money(45_00)
        assert limits.money("max_add_on") == Money(1_000_00)
        assert limits.money("max_one_time") == Money(1_000_00)

    def test_fall_back_to_the_defaults_where_staff_set_none(self, db):
        limits = PriceLimits.of("EUR")

        assert limits.money("max_base_price") == Money(1_000_00, "EUR")
        assert not PriceLimits.objects.filter(currency="EUR").exists()


def test_a_plan_reads_as_its_name(cast):
    assert [str(plan) for plan in Plan.objects.filter(provider=cast.contoso)] == ["Basic"]
    assert str(cast.contoso_basic) == "Basic v1"
