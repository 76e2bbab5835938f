"""Sealed terms: one spelling, one hash, forever. What was sealed years ago must still verify."""

import json
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import terms
from billing.models import BillingRequest
from billing.pricing import Interval, Item, ItemKind, Offer, Running, Timing, preview
from revampd.kit.money import Money
from tests.billing.acts import agree, propose

DAY = date(2026, 11, 10)
GROWTH = Item(
    kind=ItemKind.PLAN,
    name="Growth",
    unit_price=Money(149_00),
    quantity=1,
    interval=Interval.MONTH,
    anchor=date(2026, 11, 1),
    start=date(2026, 11, 1),
    end=None,
    billed_to=date(2026, 12, 1),
)
RUNNING = Running((GROWTH,), date(2026, 12, 1))
SCALE = Offer(ItemKind.PLAN, "Scale", Money(297_00), timing=Timing.NOW)

# Kept by hand: a change here means that terms sealed before no longer verify.
GOLDEN = (
    '{"afterwards":{"amount":29700,"interval":"MONTH","new":14800},"as_of":"2026-11-10",'
    '"booking_fee":25,"connection":"11111111-1111-1111-1111-111111111111","currency":"USD",'
    '"customer":"Bluebird Clinic","description":"","effective_date":null,'
    '"expires_at":"2026-12-10T09:30:00+00:00",'
    '"first_invoice":{"amount":40060,"date":"2026-12-01","lines":['
    '["Unused part of Growth, 10 Nov – 30 Nov 2026 (21 of 30 days)",-10430],'
    '["Scale, 10 Nov – 30 Nov 2026 (21 of 30 days)",20790],'
    '["Scale, 1 Dec – 31 Dec 2026",29700]],"on_approval":false},'
    '"format":1,"interval":"MONTH","item":"22222222-2222-2222-2222-222222222222","kind":"PLAN",'
    '"name":"Scale","note":"Größer – ab sofort","proration":"A price runs to the day: what starts '
    "or ends inside a billing period costs the days it runs, as a share of the days of that "
    'period, at the price written here.","provider":"Northwind Agency","quantity":1,'
    '"replaces":{"interval":"MONTH","name":"Growth","price":14900},"timing":"NOW",'
    '"transfer_fee":0,"unit_price":29700,"version":3}'
)
GOLDEN_SEAL = "7328c0d71dbedc5ffe26d165488a84dc977f5858246524c267532e3b987398c3"


def composed() -> terms.Terms:
    return terms.compose(
        SCALE,
        preview(SCALE, RUNNING, DAY),
        GROWTH,
        day=DAY,
        connection="11111111-1111-1111-1111-111111111111",
        provider="Northwind Agency",
        customer="Bluebird Clinic",
        item="22222222-2222-2222-2222-222222222222",
        version=3,
        booking_fee=25,
        transfer_fee=0,
        description="",
        note="Größer – ab sofort",
        expires_at="2026-12-10T09:30:00+00:00",
    )


class TestSeal:
    def test_spells_these_terms_as_ever(self):
        assert terms.canonical(composed()) == GOLDEN

    def test_hashes_these_terms_as_ever(self):
        assert terms.seal(composed()) == GOLDEN_SEAL

    def test_does_not_depend_on_the_order_of_writing(self):
        promised = composed()
        keys = list(promised)
        random.Random(1).shuffle(keys)

        assert terms.seal({key: promised[key] for key in keys}) == GOLDEN_SEAL

    @pytest.mark.parametrize("key", sorted(composed()))
    def test_changes_with_every_promise(self, key):
        assert terms.seal(composed() | {key: "something else"}) != GOLDEN_SEAL

    @given(note=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    def test_survives_json(self, note):
        promised = composed() | {"note": note}

        assert terms.seal(json.loads(json.dumps(promised))) == terms.seal(promised)

    def test_survives_the_database(self, cast):
        agree(cast)
        for item, details in (
            (cast.growth_yearly, {"note": 'Ünïcödé – 5 × $2.50 \\ "quoted" \u2028 🦅'}),
            (cast.phone_numbers, {"quantity": 5}),
            (cast.setup, {"timing": Timing.NEXT_CYCLE}),
        ):
            sent = propose(cast, item, **details)
            kept = BillingRequest.objects.get(pk=sent.pk)
            assert terms.seal(kept.terms) == kept.seal == sent.seal


class TestInWords:
    def test_reads_like_an_offer(self):
        assert terms.in_words(composed()) == [
            ("Plan", "Scale"),
            ("Version", "3"),
            ("Price", "$297.00 a month"),
            ("Booking fee", "$0.25 each"),
            ("Effective", "On approval"),
            ("Replaces", "Growth, $149.00 a month"),
            ("Note", "Größer – ab sofort"),
        ]

    def test_multiplies(self):
        numbers = composed() | {"kind": "ADD_ON", "quantity": 5, "unit_price": 250}

        assert terms.price_in_words(numbers) == "5 × $2.50 a month"
        assert ("Quantity", "5") in terms.in_words(numbers)

    def test_says_once_of_a_one_time_charge(self):
        once = composed() | {"kind": "ONE_TIME", "interval": None, "unit_price": 400_00}

        assert terms.price_in_words(once) == "$400.00 once"

    @pytest.mark.parametrize(
        ("timing", "effective", "words"),
        [
            ("NOW", None, "On approval"),
            ("NEXT_CYCLE", "2026-12-01", "1 Dec 2026, the next billing cycle"),
            ("DATE", "2027-01-15", "15 Jan 2027"),
        ],
    )
    def test_says_from_when(self, timing, effective, words):
        dated = composed() | {"timing": timing, "effective_date": effective}

        assert terms.effective_in_words(dated) == words


class TestDifferences:
    def test_names_what_reads_differently(self):
        after = composed() | {"unit_price": 350_00, "note": "", "quantity": 2}

        found = terms.differences(composed(), after)

        assert [(one.label, one.before, one.after) for one in found] == [
            ("Price", "$297.00 a month", "2 × $350.00 a month"),
            ("Note", "Größer – ab sofort", "–"),
            ("Quantity", "–", "2"),
        ]

    def test_is_empty_for_the_same_promises(self):
        assert terms.differences(composed(), composed()) == []
