"""Approving: once, on the terms that were seen, and what follows by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.cycle import bill_due
from billing.models import BillingRequest, Subscription
from billing.models.proposals import NothingToJoin, Proposal
from billing.models.requests import AlreadyDecided, OwnProposal, TermsChanged
from billing.pricing import Interval, ItemKind, Timing
from connections.models import Event
from revampd.kit.errors import Invalid
from tests.billing.acts import (
    NOW,
    TODAY,
    agree,
    approve,
    bill,
    day,
    happened,
    issued,
    lines,
    noon,
    propose,
)
from tests.cast import Cast, plan


class TestApprove:
    def test_writes_who_decided_when_and_why(self, cast):
        request = approve(cast, propose(cast), note="  Fine.  ")

        found = BillingRequest.objects.get(pk=request.pk)
        assert (found.decided_by, found.decided_at) == (cast.ben, NOW)
        assert (found.decision_note, found.starts_on) == ("Fine.", TODAY)

    def test_records_each_event_once_with_its_facts(self, cast):
        approve(cast, propose(cast), note="Fine.")

        assert happened(cast) == {
            "billing_request.sent": 1,
            "billing_request.approved": 1,
            "subscription.started": 1,
            "invoice.issued": 1,
        }
        event = Event.objects.get(code="billing_request.approved")
        assert (event.actor, event.organization, event.at) == (cast.ben, cast.bluebird, NOW)
        facts = {key: event.facts[key] for key in ("outcome", "decided_by", "decision_note")}
        assert facts == {
            "outcome": "Approved",
            "decided_by": "Ben Tester",
            "decision_note": "Fine.",
        }

    def test_is_for_nobody_who_belongs_to_the_provider_too(self, cast):
        request = propose(cast)

        for decide in (
            lambda: request.approve(by=cast.dora, seal=request.seal, at=NOW),
            lambda: request.reject(by=cast.dora, at=NOW),
        ):
            with pytest.raises(OwnProposal, match="You also belong to Northwind Agency"):
                decide()
        assert BillingRequest.objects.get().is_pending

    def test_is_possible_until_the_instant_it_expires(self, cast):
        request = propose(cast)

        with pytest.raises(AlreadyDecided, match="has expired") as refusal:
            approve(cast, request, at=request.expires_at)
        assert refusal.value.next_step == "Ask Northwind Agency for a new one."
        with pytest.raises(AlreadyDecided, match="has expired"):
            request.reject(by=cast.ben, at=request.expires_at)
        approve(cast, request, at=request.expires_at - timedelta(microseconds=1))

    @pytest.mark.parametrize("forged", ["", "0" * 64, "x", "Robert'); DROP TABLE"])
    def test_refuses_a_forged_seal(self, cast, forged):
        request = propose(cast)

        with pytest.raises(TermsChanged) as refusal:
            request.approve(by=cast.ben, seal=forged, at=NOW)

        assert refusal.value.differences == []
        assert BillingRequest.objects.get().is_pending
        assert happened(cast) == {"billing_request.sent": 1}

    def test_of_a_revision_with_the_old_seal_says_what_changed(self, cast):
        old = propose(cast)
        new = old.revise(Proposal(cast.scale), by=cast.noah, at=NOW)

        with pytest.raises(TermsChanged) as refusal:
            new.approve(by=cast.ben, seal=old.seal, at=NOW)

        assert [(d.label, d.before, d.after) for d in refusal.value.differences] == [
            ("Plan", "Growth", "Scale"),
            ("Price", "$149.00 a month", "$297.00 a month"),
        ]
        assert not Subscription.objects.exists()

    def test_does_not_compare_with_what_others_were_offered(self, cast):
        foreign = BillingRequest.propose(
            Proposal(cast.contoso_basic),
            connection=cast.contoso_fabrikam,
            by=cast.oscar,
            at=NOW,
        )
        request = propose(cast)

        with pytest.raises(TermsChanged) as refusal:
            request.approve(by=cast.ben, seal=foreign.seal, at=NOW)

        assert refusal.value.differences == []

    def test_refuses_when_another_plan_runs_by_now(self, cast):
        small = plan(cast.northwind, cast.maya, "Small", 99_00)
        waiting = propose(cast, cast.scale)
        agree(cast, small)

        with pytest.raises(TermsChanged, match="What runs has changed") as refusal:
            approve(cast, waiting)

        [difference] = refusal.value.differences
        assert (difference.label, difference.before) == ("Replaces", "–")
        assert difference.after == "Small, $99.00 a month"
        assert waiting.state == "PENDING"

    def test_of_an_add_on_needs_a_plan(self, cast):
        propose(cast)
        add_on = propose(cast, cast.phone_numbers)

        with pytest.raises(NothingToJoin) as refusal:
            approve(cast, add_on)

        assert refusal.value.next_step == "Approve a plan first."
        assert add_on.is_pending
        assert BillingRequest.objects.get(pk=add_on.pk).is_pending

    def test_of_an_add_on_refuses_a_plan_that_bills_it_by_the_year(self, cast):
        yearly = propose(cast, cast.growth_yearly)
        add_on = propose(cast, cast.phone_numbers)
        approve(cast, yearly)

        with pytest.raises(TermsChanged) as refusal:
            approve(cast, add_on)

        [difference] = refusal.value.differences
        assert (difference.before, difference.after) == ("monthly", "yearly")

    def test_refuses_when_the_unused_part_outgrew_the_next_invoice(self, cast):
        small = plan(cast.northwind, cast.maya, "Small", 45_00)
        agree(cast, cast.scale)
        eve = noon(2026, 12, 9)
        request = propose(cast, small, at=eve)
        renew(cast, noon(2026, 12, 10))

        with pytest.raises(TermsChanged, match="worth more than a coming invoice"):
            approve(cast, request, at=noon(2026, 12, 11))

        assert request.is_pending

    def test_refuses_a_long_note(self, cast):
        request, long = propose(cast), "x" * 2_001

        for decide in (
            lambda: approve(cast, request, note=long),
            lambda: request.reject(by=cast.ben, at=NOW, note=long),
        ):
            with pytest.raises(Invalid) as refusal:
                decide()
            assert refusal.value.field == "note"
        assert BillingRequest.objects.get().is_pending

    def test_keeps_the_promised_day_after_the_billing_run(self, cast):
        agree(cast)
        request = propose(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        morning = datetime(2026, 12, 10, 8, tzinfo=UTC)
        renew(cast, morning)

        approve(cast, request, at=morning)

        assert request.starts_on == day(request.terms["effective_date"]) == day("2026-12-10")

    def test_catches_up_what_the_billing_run_missed(self, cast):
        agree(cast)

        request = propose(cast, cast.growth_yearly, at=noon(2027, 2, 20))
        approve(cast, request, at=noon(2027, 2, 20))

        days = [invoice.issue_date.isoformat() for invoice in issued(cast)]
        assert days == ["2026-11-10", "2026-12-10", "2027-01-10", "2027-02-10", "2027-02-20"]
        assert sum(invoice.total for invoice in issued(cast)) == (
            3 * 149_00 + 149_00 * 10 // 28 + 990_00
        )


def renew(cast: Cast, at: datetime) -> None:
    bill(cast.northwind_bluebird, at)


PROMISES = [
    ("growth", {}),
    ("growth", {"timing": Timing.DATE, "effective_date": TODAY}),
    ("growth_yearly", {}),
    ("setup", {}),
]
CHANGES = [
    ("scale", {}),
    ("growth_yearly", {}),
    ("phone_numbers", {"quantity": 5}),
    ("setup", {}),
    *[
        (name, {"timing": timing, "effective_date": chosen})
        for name in ("scale", "growth_yearly", "phone_numbers", "setup")
        for timing, chosen in (
            (Timing.NEXT_CYCLE, None),
            (Timing.DATE, day("2026-11-24")),
            (Timing.DATE, day("2026-12-24")),
        )
    ],
]


class TestPromise:
    """What was sealed is what the first invoice says."""

    @pytest.mark.parametrize(("name", "details"), PROMISES)
    def test_of_a_start_is_kept(self, cast, name, details):
        request = agree(cast, getattr(cast, name), **details)

        assert_kept(cast, request)

    @pytest.mark.parametrize(("name", "details"), CHANGES)
    def test_of_a_change_is_kept(self, cast, name, details):
        agree(cast)

        request = agree(cast, getattr(cast, name), at=noon(2026, 11, 20), **details)

        assert_kept(cast, request)


def assert_kept(cast: Cast, request: BillingRequest) -> None:
    promised = request.terms["first_invoice"]
    on = day(promised["date"])
    bill_due(on, at=datetime.combine(on, NOW.time(), UTC))
    invoice = cast.northwind_bluebird.invoices.filter(issue_date=on).latest("number")
    assert invoice.lines.filter(request=request).exists()
    if request.kind == ItemKind.ONE_TIME:
        charged = invoice.lines.get(request=request)
        assert charged.amount == promised["amount"]
    else:
        assert invoice.total == promised["amount"]
        assert [list(line) for line in lines(invoice)] == promised["lines"]
    assert promised["on_approval"] == (on <= TODAY if on == TODAY else on == day("2026-11-20"))


class TestEffect:
    def test_of_a_plan_now_starts_it_and_bills_its_first_period(self, cast):
        agree(cast)

        [invoice] = issued(cast)
        assert lines(invoice) == [("Growth, 10 Nov – 9 Dec 2026", 149_00)]
        subscription = Subscription.objects.get()
        assert subscription.next_invoice_date == day("2026-12-10")

    def test_of_a_plan_on_a_day_waits_for_it(self, cast):
        agree(cast, timing=Timing.DATE, effective_date=day("2026-12-01"))

        assert issued(cast) == []
        subscription = Subscription.objects.get()
        assert subscription.start_date == subscription.next_invoice_date == day("2026-12-01")

    def test_of_another_plan_now_settles_the_difference_on_the_next_invoice(self, cast):
        agree(cast)
        agree(cast, cast.scale, at=noon(2026, 11, 20))
        renew(cast, noon(2026, 12, 10))

        second = issued(cast)[-1]
        assert lines(second) == [
            ("Unused part of Growth, 20 Nov – 9 Dec 2026 (20 of 30 days)", -99_34),
            ("Scale, 20 Nov – 9 Dec 2026 (20 of 30 days)", 198_00),
            ("Scale, 10 Dec 2026 – 9 Jan 2027", 297_00),
        ]
        assert happened(cast)["subscription.changed"] == 1

    def test_of_another_plan_next_cycle_leaves_the_period_alone(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.NEXT_CYCLE)

        subscription = Subscription.objects.get()
        assert subscription.running.plan_on(day("2026-12-09")).name == "Growth"
        assert subscription.running.plan_on(day("2026-12-10")).name == "Scale"
        renew(cast, noon(2026, 12, 10))
        assert lines(issued(cast)[-1]) == [("Scale, 10 Dec 2026 – 9 Jan 2027", 297_00)]

    def test_of_a_newer_change_replaces_the_scheduled_one(self, cast):
        agree(cast)
        agree(cast, cast.scale, timing=Timing.NEXT_CYCLE)
        plus = plan(cast.northwind, cast.maya, "Plus", 199_00)

        agree(cast, plus, timing=Timing.NEXT_CYCLE)

        renew(cast, noon(2026, 12, 10))
        assert lines(issued(cast)[-1]) == [("Plus, 10 Dec 2026 – 9 Jan 2027", 199_00)]

    def test_of_an_add_on_is_a_line_of_its_own_for_the_rest_of_the_period(self, cast):
        agree(cast)
        agree(cast, cast.phone_numbers, quantity=5, at=noon(2026, 11, 25))
        renew(cast, noon(2026, 12, 10))

        assert lines(issued(cast)[-1]) == [
            ("Growth, 10 Dec 2026 – 9 Jan 2027", 149_00),
            ("5 × Phone number, 25 Nov – 9 Dec 2026 (15 of 30 days)", 6_25),
            ("5 × Phone number, 10 Dec 2026 – 9 Jan 2027", 12_50),
        ]
        assert happened(cast)["add_on.joined"] == 1

    def test_of_a_one_time_charge_now_is_an_invoice_of_its_own(self, cast):
        request = agree(cast, cast.setup)

        [invoice] = issued(cast)
        assert (invoice.kind, lines(invoice)) == ("ONE_TIME", [("Setup", 400_00)])
        assert invoice.lines.get().request == request
        assert not Subscription.objects.exists()

    def test_of_a_one_time_charge_later_waits_for_its_day(self, cast):
        agree(cast, cast.setup, timing=Timing.DATE, effective_date=day("2026-11-24"))

        assert issued(cast) == []

    def test_names_the_authority_on_every_line(self, cast):
        growth = agree(cast)
        numbers = agree(cast, cast.phone_numbers)
        scale = agree(cast, cast.scale, at=noon(2026, 11, 20))
        renew(cast, noon(2026, 12, 10))

        lines_of = issued(cast)[-1].lines.order_by("position")
        found = {(line.description.split(",")[0], line.request) for line in lines_of}
        assert found == {
            ("Unused part of Growth", growth),
            ("Scale", scale),
            ("Phone number", numbers),
        }

    def test_keeps_the_price_that_was_approved(self, cast):
        request = propose(cast)
        cast.growth.plan.publish(by=cast.maya, at=NOW, interval=Interval.MONTH, base_price=199_00)
        cast.growth.plan.change(by=cast.maya, name="Growth Plus")

        approve(cast, request)

        assert lines(issued(cast)[0]) == [("Growth, 10 Nov – 9 Dec 2026", 149_00)]

    def test_of_a_request_whose_item_was_archived_since_still_holds(self, cast):
        request = propose(cast)
        cast.growth.plan.archive(by=cast.maya, at=NOW)

        approve(cast, request)

        assert Subscription.objects.get().running.plan.name == "Growth"
