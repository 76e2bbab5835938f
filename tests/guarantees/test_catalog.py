"""Prices within the limits of the platform."""

import pytest

from billing.models import AddOn, PriceLimits
from tests.guarantees.history import NOW
from tests.guarantees.statements import accepted, copy, copy_refused, refused


class TestPrice:
    @pytest.mark.parametrize(
        "beyond",
        [
            {"base_price": 1_000_01},
            {"booking_fee": 500_01},
            {"transfer_fee": 500_01},
            {"base_price": 44_99},
            {"base_price": 40_00, "booking_fee": 4_99},
        ],
    )
    def test_of_a_plan_keeps_to_the_limits(self, cast, beyond):
        copy_refused(cast.growth, number=9, **beyond, by="plan price is outside")
        copy(cast.growth, number=9)
        copy(cast.growth, number=10, base_price=1_000_00, booking_fee=500_00, transfer_fee=500_00)
        copy(cast.growth, number=11, base_price=0, booking_fee=22_00, transfer_fee=23_00)

    @pytest.mark.parametrize("name", ["phone_numbers", "setup"])
    def test_of_other_things_keeps_to_the_limits(self, cast, name):
        item = getattr(cast, name)

        copy_refused(item, name="New", unit_price=1_000_01, by="outside the platform limits")
        copy_refused(item, name="New", unit_price=0, by="_price")
        copy(item, name="New", unit_price=1_000_00)

    def test_is_never_negative(self, cast):
        copy_refused(cast.growth, number=9, base_price=-1, booking_fee=50_00, by="_prices")

    def test_is_of_a_plan_of_the_same_provider(self, cast):
        foreign = {"number": 9, "provider_id": cast.contoso.pk}

        copy_refused(cast.growth, **foreign, by="plan_version_of_provider")
        copy(cast.growth, number=9)

    def test_of_revampd_has_no_limits(self, cast):
        tier = copy(cast.growth.plan, provider_id=cast.revampd.pk)

        copy(cast.growth, plan_id=tier, provider_id=cast.revampd.pk, base_price=5_000_00)

    def test_in_a_currency_without_limits_is_refused(self, cast):
        copy_refused(cast.growth, number=9, currency="XXX", by="plan price is outside")
        PriceLimits.objects.create(currency="XXX")
        copy(cast.growth, number=9, currency="XXX")

    def test_beyond_lowered_limits_stays_but_is_not_set_again(self, cast):
        accepted("UPDATE billing_pricelimits SET max_add_on = 100, max_base_price = 5000")
        numbers = cast.phone_numbers.pk

        copy_refused(cast.growth, number=9, by="plan price is outside")
        copy_refused(cast.phone_numbers, name="New", by="outside the platform limits")
        raise_price = "UPDATE billing_addon SET unit_price = %s WHERE id = %s"
        refused(raise_price, 2_60, numbers, by="outside the platform limits")
        accepted("UPDATE billing_addon SET name = 'Numbers' WHERE id = %s", numbers)
        accepted("UPDATE billing_addon SET archived_at = now() WHERE id = %s", numbers)
        accepted(raise_price, 1_00, numbers)
        cast.growth.retire(by=cast.maya, at=NOW)

    def test_can_be_archived_by_the_verb_after_the_limits_were_lowered(self, cast):
        PriceLimits.objects.update(max_add_on=100, max_one_time=100)

        cast.phone_numbers.archive(by=cast.maya, at=NOW)
        cast.setup.archive(by=cast.maya, at=NOW)

        assert not AddOn.objects.on_sale().filter(pk=cast.phone_numbers.pk).exists()
