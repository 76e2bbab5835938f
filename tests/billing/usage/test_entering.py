"""Entering usage: who may, what a plan charges, and the key that makes a repetition harmless."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import SubscriptionItem, UsageRecord
from billing.models.batches import KeyTaken, UsageRefused
from billing.models.entries import MAX_COUNT, UsageEntry
from connections.models import Event
from revampd.kit.errors import Invalid, NotAllowed
from tests.billing.acts import NOW, TODAY, agree, day, happened, noon
from tests.billing.usage.counting import BOOKING, TRANSFER, enter, metered


class TestEnter:
    def test_ties_it_to_the_plan_of_its_day(self, cast):
        agree(cast, metered(cast))

        record = enter(cast, 3)

        assert record.item == SubscriptionItem.objects.get()
        assert (record.entered_by, record.entered_at) == (cast.noah, NOW)
        assert record.line is None
        assert str(record) == "3 bookings on 10 Nov 2026"

    def test_is_told_in_the_timeline(self, cast):
        agree(cast, metered(cast))
        enter(cast, 1)

        event = Event.objects.get(code="usage.recorded")
        assert (event.actor, event.connection) == (cast.noah, cast.northwind_bluebird)
        assert event.facts == {"what": "1 booking", "days": "10 Nov 2026"}
        assert happened(cast)["usage.recorded"] == 1

    @pytest.mark.parametrize("name", ["maya", "noah", "dora", "rhea"])
    def test_is_for_who_bills_there_and_for_staff(self, cast, name):
        agree(cast, metered(cast))

        assert enter(cast, by=getattr(cast, name)).entered_by == getattr(cast, name)

    @pytest.mark.parametrize("name", ["dana", "vera", "ben", "bella", "oscar", "zed"])
    def test_is_not_for_others(self, cast, name):
        agree(cast, metered(cast))

        with pytest.raises(NotAllowed):
            enter(cast, by=getattr(cast, name))
        assert not UsageRecord.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "field", "sentence"),
        [
            ({"on": day("2026-11-11")}, "used_on", "11 Nov 2026 has not come yet."),
            ({"on": day("2026-11-09")}, "used_on", "No plan ran on 9 Nov 2026."),
            ({"on": day("2025-11-08")}, "used_on", "8 Nov 2025 is more than a year ago."),
            ({"quantity": 0}, "quantity", "Enter a number from 1 to 10,000."),
            ({"quantity": MAX_COUNT + 1}, "quantity", "Enter a number from 1 to 10,000."),
            ({"key": ""}, "key", "Enter a key of letters, digits and signs."),
            ({"key": " B-1"}, "key", "Enter a key of letters, digits and signs."),
            ({"key": "B\0"}, "key", "Enter a key of letters, digits and signs."),
            ({"key": "K" * 101}, "key", "Keep the key under 101 characters."),
            (
                {"measure": TRANSFER},
                "measure",
                "Growth, which ran on 10 Nov 2026, has no fee for transfers.",
            ),
        ],
    )
    def test_refuses_what_no_plan_charges(self, cast, wrong, field, sentence):
        agree(cast, metered(cast, transfer_fee=0))

        with pytest.raises(Invalid) as refusal:
            enter(cast, **wrong)

        assert (refusal.value.field, refusal.value.sentence) == (field, sentence)
        assert not UsageRecord.objects.exists()

    def test_goes_by_the_day_where_the_provider_is(self, cast):
        cast.northwind.time_zone = "Pacific/Auckland"
        cast.northwind.save(update_fields=["time_zone"])
        cast.northwind_bluebird.refresh_from_db()
        agree(cast, metered(cast), at=noon(2026, 11, 9))

        # It is still the 9th in Greenwich.
        assert enter(cast, on=day("2026-11-10"), at=noon(2026, 11, 9)).used_on == TODAY

    def test_refuses_without_a_plan(self, cast):
        with pytest.raises(Invalid, match="No plan runs on this connection"):
            enter(cast)

    def test_refuses_what_ended_and_was_settled(self, cast):
        agree(cast, metered(cast))
        subscription = SubscriptionItem.objects.get().subscription
        subscription.end_date, subscription.next_invoice_date = TODAY + timedelta(days=1), None
        subscription.save()

        with pytest.raises(Invalid, match="No plan runs on this connection"):
            enter(cast)

    def test_takes_each_day_at_the_fee_of_its_own_plan(self, cast):
        agree(cast, metered(cast), at=noon(2026, 11, 1))
        agree(cast, metered(cast, booking_fee=5_00))

        enter(cast, 1, on=day("2026-11-09"), key="before")
        enter(cast, 1, on=TODAY, key="after")

        rows = UsageRecord.objects.with_cost().order_by("used_on")
        assert [row.cost for row in rows] == [2_00, 5_00]


class TestKey:
    def test_again_with_the_same_values_changes_nothing(self, cast):
        agree(cast, metered(cast))
        first = enter(cast)

        again = enter(cast, by=cast.maya, at=NOW + timedelta(hours=1))

        assert again == first
        assert again.entered_by == cast.noah
        assert happened(cast)["usage.recorded"] == 1

    def test_again_is_known_even_when_the_day_could_no_longer_be_entered(self, cast):
        agree(cast, metered(cast))
        first = enter(cast)

        assert enter(cast, at=NOW + timedelta(days=500)) == first

    @pytest.mark.parametrize(
        ("other", "differs"),
        [
            ({"quantity": 4}, "the number"),
            ({"measure": TRANSFER}, "what is counted"),
            ({"on": day("2026-11-11"), "quantity": 1}, "the day and the number"),
        ],
    )
    def test_with_other_values_says_what_differs(self, cast, other, differs):
        agree(cast, metered(cast))
        enter(cast)

        with pytest.raises(KeyTaken) as refusal:
            enter(cast, **other)

        assert refusal.value.sentence == (
            "The key “B-1” was used before for 3 bookings on 10 Nov 2026; "
            f"this differs in {differs}."
        )
        assert UsageRecord.objects.get().quantity == 3


class TestEnterAll:
    def entry(self, cast, quantity=1, on=TODAY, key="B-1", measure=BOOKING, connection=None):
        connection = connection or cast.northwind_bluebird
        return UsageEntry(connection.pk, measure, on, quantity, key)

    def test_enters_all_with_one_event_a_connection(self, cast):
        agree(cast, metered(cast), at=noon(2026, 11, 1))
        entries = [
            self.entry(cast, 2, key="a", on=day("2026-11-03")),
            self.entry(cast, 5, key="b"),
            self.entry(cast, 1, key="c", measure=TRANSFER),
        ]

        assert UsageRecord.enter_all(entries, by=cast.noah, at=NOW) == 3

        facts = Event.objects.get(code="usage.recorded").facts
        assert facts == {"what": "7 bookings and 1 transfer", "days": "3 Nov – 10 Nov 2026"}

    def test_enters_none_if_one_cannot_be(self, cast):
        agree(cast, metered(cast))
        entries = [self.entry(cast, key="a"), self.entry(cast, key="b", on=day("2026-11-09"))]

        with pytest.raises(UsageRefused) as refusal:
            UsageRecord.enter_all(entries, by=cast.noah, at=NOW)

        assert [(o.place, o.field) for o in refusal.value.objections] == [(1, "used_on")]
        assert not UsageRecord.objects.exists()

    def test_refuses_a_key_that_stands_there_twice(self, cast):
        agree(cast, metered(cast))

        with pytest.raises(UsageRefused, match="stands there twice"):
            UsageRecord.enter_all([self.entry(cast)] * 2, by=cast.noah, at=NOW)

    def test_is_not_for_the_connections_of_others(self, cast):
        agree(cast, metered(cast))
        entries = [self.entry(cast), self.entry(cast, connection=cast.contoso_fabrikam)]

        with pytest.raises(NotAllowed):
            UsageRecord.enter_all(entries, by=cast.noah, at=NOW)

    def test_goes_by_the_clock_of_each_connection(self, cast):
        agree(cast, metered(cast))
        cast.northwind_bluebird.advance(day("2026-11-15"), now=NOW)

        UsageRecord.enter_all([self.entry(cast, on=day("2026-11-15"))], by=cast.noah, at=NOW)

        assert UsageRecord.objects.get().entered_at == noon(2026, 11, 15) - timedelta(
            hours=2, minutes=30
        )

    def test_of_nothing_enters_nothing(self, cast):
        assert UsageRecord.enter_all([], by=cast.noah, at=timezone.now()) == 0
