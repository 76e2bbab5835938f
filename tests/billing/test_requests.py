"""Consent: proposing, deciding, and what follows by itself."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import terms
from billing.cycle import bill_due
from billing.models import AddOn, BillingRequest, Invoice, Subscription
from billing.models.catalog import NotOnSale
from billing.models.proposals import NothingToJoin, Proposal
from billing.models.requests import AlreadyDecided, OwnProposal, TermsChanged
from billing.pricing import Interval, ItemKind, Timing
from connections.models import Connection, Event, Organization, User
from revampd.kit.errors import DomainError, Invalid, NotAllowed
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

State = BillingRequest.State
STATES = ["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "REVISED", "EXPIRED"]
OVER = timedelta(days=30)


def in_state(cast: Cast, state: str, item: Any = None) -> BillingRequest:
    request = propose(cast, item)
    if state == "APPROVED":
        approve(cast, request)
    elif state == "REJECTED":
        request.reject(by=cast.ben, at=NOW)
    elif state == "WITHDRAWN":
        request.withdraw(by=cast.noah, at=NOW)
    elif state == "REVISED":
        request.revise(Proposal(cast.scale), by=cast.noah, at=NOW)
    elif state == "EXPIRED":
        assert request.expire(at=NOW + OVER)
    return BillingRequest.objects.get(pk=request.pk)


VERBS = {
    "approve": lambda cast, request: approve(cast, request),
    "reject": lambda cast, request: request.reject(by=cast.ben, at=NOW),
    "withdraw": lambda cast, request: request.withdraw(by=cast.noah, at=NOW),
    "revise": lambda cast, request: request.revise(Proposal(cast.scale), by=cast.noah, at=NOW),
}


class TestEveryVerb:
    @pytest.mark.parametrize("verb", VERBS)
    def test_takes_a_pending_request_to_its_end(self, cast, verb):
        request = in_state(cast, "PENDING")

        VERBS[verb](cast, request)

        ends = {"approve": "APPROVED", "reject": "REJECTED", "withdraw": "WITHDRAWN"}
        found = BillingRequest.objects.get(pk=request.pk)
        assert found.state == request.state == ends.get(verb, "REVISED")
        assert (found.decided_at, found.decided_by) == (NOW, request.decided_by)

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("state", STATES[1:])
    def test_is_refused_once_it_is_decided(self, cast, verb, state):
        request = in_state(cast, state)
        before, happened_before = row(request), happened(cast)

        with pytest.raises(AlreadyDecided) as refusal:
            VERBS[verb](cast, request)

        did = {"WITHDRAWN": "withdrew"}.get(state, state.lower())
        words = f"{request.decided_by} {did} this request on 10 Nov 2026 at 09:30. It stays so."
        assert str(refusal.value) == ("This request has expired." if state == "EXPIRED" else words)
        assert row(BillingRequest.objects.get(pk=request.pk)) == before
        assert happened(cast) == happened_before
        assert request.state == state

    @pytest.mark.parametrize("verb", VERBS)
    def test_sees_the_decision_that_another_process_made(self, cast, verb):
        request = propose(cast)
        BillingRequest.objects.get(pk=request.pk).reject(by=cast.bella, at=NOW)

        with pytest.raises(AlreadyDecided, match="Bella Tester rejected this request"):
            VERBS[verb](cast, request)

        assert request.state == "REJECTED"

    @pytest.mark.parametrize("state", STATES[1:])
    def test_expires_and_reminds_only_what_waits(self, cast, state):
        request = in_state(cast, state)
        happened_before = happened(cast)

        assert not request.expire(at=NOW + OVER)
        assert not request.remind(at=NOW + OVER - timedelta(days=1))
        assert happened(cast) == happened_before

    @pytest.mark.parametrize(
        ("verb", "allowed"),
        [
            ("approve", {"ben", "bella"}),
            ("reject", {"ben", "bella"}),
            ("withdraw", {"maya", "noah", "dora"}),
            ("revise", {"maya", "noah", "dora"}),
            ("propose", {"maya", "noah", "dora"}),
        ],
    )
    def test_is_for_owners_and_billing_of_the_right_side(self, cast, verb, allowed):
        acts = {
            "approve": lambda request, by: request.approve(by=by, seal=request.seal, at=NOW),
            "reject": lambda request, by: request.reject(by=by, at=NOW),
            "withdraw": lambda request, by: request.withdraw(by=by, at=NOW),
            "revise": lambda request, by: request.revise(Proposal(cast.scale), by=by, at=NOW),
            "propose": lambda _, by: propose(cast, by=by),
        }
        people = [
            field.name for field in fields(cast) if isinstance(getattr(cast, field.name), User)
        ]
        for name in people:
            request = propose(cast, cast.setup)
            if name in allowed:
                acts[verb](request, getattr(cast, name))
                continue
            with pytest.raises(NotAllowed):
                acts[verb](request, getattr(cast, name))
            assert BillingRequest.objects.get(pk=request.pk).is_pending
        assert allowed < set(people)


def row(request: BillingRequest) -> dict[str, Any]:
    return {field.attname: getattr(request, field.attname) for field in request._meta.fields}


class TestPropose:
    def test_seals_what_is_offered_and_tells_the_customer(self, cast):
        request = propose(cast, note="  As we discussed.  ")

        assert request.is_pending
        assert request.seal == terms.seal(request.terms)
        assert request.note == request.terms["note"] == "As we discussed."
        assert request.expires_at == NOW + OVER
        assert happened(cast) == {"billing_request.sent": 1}
        event = Event.objects.get(code="billing_request.sent")
        assert event.actor == cast.noah
        assert event.organization == cast.northwind
        assert event.facts["item"] == "Growth"
        assert event.facts["price"] == "$149.00 a month"
        assert event.facts["provider"] == "Northwind Agency"
        assert event.outbox

    def test_costs_nothing_yet(self, cast):
        propose(cast)

        assert not Subscription.objects.exists()
        assert not Invoice.objects.exists()

    @pytest.mark.parametrize(
        ("details", "field"),
        [
            ({"timing": Timing.NEXT_CYCLE}, "timing"),
            ({"timing": Timing.DATE}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": TODAY - timedelta(1)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": TODAY + timedelta(367)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": date(2300, 1, 1)}, "effective_date"),
            ({"timing": Timing.DATE, "effective_date": date.max}, "effective_date"),
            ({"quantity": 2}, "quantity"),
            ({"quantity": 0}, "quantity"),
            ({"note": "x" * 2_001}, "note"),
            ({"expires_at": NOW}, "expires_on"),
            ({"expires_at": NOW - timedelta(days=1)}, "expires_on"),
            ({"expires_at": NOW + timedelta(days=367)}, "expires_on"),
        ],
    )
    def test_refuses_what_cannot_be(self, cast, details, field):
        with pytest.raises(Invalid) as refusal:
            propose(cast, **details)

        assert refusal.value.field == field
        assert not BillingRequest.objects.exists()
        assert happened(cast) == {}

    @pytest.mark.parametrize("quantity", [-1, 0, 10_001])
    def test_refuses_a_quantity_out_of_range(self, cast, quantity):
        agree(cast)

        with pytest.raises(Invalid, match="from 1 to 10,000") as refusal:
            propose(cast, cast.phone_numbers, quantity=quantity)

        assert refusal.value.field == "quantity"

    @pytest.mark.parametrize("quantity", [1, 10_000])
    def test_takes_a_quantity_in_range(self, cast, quantity):
        agree(cast)

        assert propose(cast, cast.phone_numbers, quantity=quantity).quantity == quantity

    @pytest.mark.parametrize("ahead", [0, 1, 366])
    def test_takes_a_day_within_a_year(self, cast, ahead):
        chosen = TODAY + timedelta(ahead)

        request = propose(cast, timing=Timing.DATE, effective_date=chosen)

        assert request.effective_date == chosen
        assert request.terms["effective_date"] == chosen.isoformat()

    def test_ignores_a_day_beside_another_timing(self, cast):
        agree(cast)
        typed = {"effective_date": date(2027, 5, 5)}

        now = propose(cast, cast.scale, timing=Timing.NOW, **typed)
        then = propose(cast, cast.scale, timing=Timing.NEXT_CYCLE, **typed)

        assert (now.effective_date, then.effective_date) == (None, day("2026-12-10"))

    def test_can_be_approved_until_its_day_ends_where_the_provider_is(self, cast):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone="America/Los_Angeles")

        request = propose(cast, timing=Timing.DATE, effective_date=day("2026-11-12"))

        assert request.expires_at == datetime(2026, 11, 13, 7, 59, 59, tzinfo=UTC)

    def test_takes_an_earlier_time_to_decide_by(self, cast):
        chosen = NOW + timedelta(days=5)

        assert propose(cast, expires_at=chosen).expires_at == chosen

    def test_refuses_what_another_provider_sells(self, cast):
        with pytest.raises(Invalid, match="your own catalog"):
            propose(cast, cast.contoso_basic)

    def test_refuses_what_is_off_sale(self, cast):
        cast.growth.retire(by=cast.maya, at=NOW)
        cast.setup.archive(by=cast.maya, at=NOW)
        cast.scale.plan.archive(by=cast.maya, at=NOW)

        for item in (cast.growth, cast.setup, cast.scale):
            item.refresh_from_db()
            with pytest.raises(NotOnSale, match="no longer on sale"):
                propose(cast, item)

    def test_refuses_another_currency(self, cast):
        euro = AddOn(provider=cast.revampd, name="Euro", currency="EUR", unit_price=100)
        euro.save()
        proposal = Proposal(euro)

        with pytest.raises(Invalid, match="priced in EUR"):
            BillingRequest.propose(proposal, connection=cast.revampd_bluebird, by=cast.rhea, at=NOW)

    def test_refuses_an_add_on_that_no_plan_could_carry(self, cast):
        with pytest.raises(Invalid, match="no plan that an add-on could join") as refusal:
            propose(cast, cast.phone_numbers)

        assert refusal.value.field == "item"

    def test_takes_an_add_on_while_a_plan_waits_for_approval(self, cast):
        propose(cast)

        assert propose(cast, cast.phone_numbers).is_pending

    def test_refuses_the_plan_that_runs_already(self, cast):
        agree(cast)

        with pytest.raises(Invalid, match="has this plan already"):
            propose(cast)
        assert propose(cast, cast.growth_yearly).is_pending

    def test_refuses_a_change_that_would_give_money_back(self, cast):
        agree(cast, cast.scale)
        small = plan(cast.northwind, cast.maya, "Small", 45_00)

        with pytest.raises(Invalid, match="Choose the next billing cycle") as refusal:
            propose(cast, small)

        assert refusal.value.field == "timing"
        assert propose(cast, small, timing=Timing.NEXT_CYCLE).is_pending

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("INVITED", "has not accepted your invitation yet"),
            ("SUSPENDED", "The connection with Bluebird Clinic is suspended"),
            ("ENDED", "The connection with Bluebird Clinic is ended"),
        ],
    )
    def test_needs_an_active_connection(self, cast, state, words):
        Connection.objects.filter(pk=cast.northwind_bluebird.pk).update(state=state)

        with pytest.raises(Invalid, match=words):
            propose(cast)

    def test_that_is_sent_twice_is_one(self, cast):
        key = propose(cast).pk
        again = BillingRequest.propose(
            Proposal(cast.scale), connection=cast.northwind_bluebird, by=cast.noah, at=NOW, key=key
        )

        assert again.pk == key
        assert BillingRequest.objects.get().item_name == "Growth"
        assert happened(cast) == {"billing_request.sent": 1}

    def test_names_what_it_replaces(self, cast):
        agree(cast)

        request = propose(cast, cast.scale)

        replaced = {"name": "Growth", "price": 149_00, "interval": "MONTH"}
        assert request.terms["replaces"] == replaced


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


class TestReject:
    def test_changes_nothing(self, cast):
        request = propose(cast)

        request.reject(by=cast.bella, at=NOW, note=" Too expensive. ")

        assert (request.state, request.decision_note) == ("REJECTED", "Too expensive.")
        assert happened(cast) == {"billing_request.sent": 1, "billing_request.rejected": 1}
        assert Event.objects.get(code="billing_request.rejected").organization == cast.bluebird
        assert not Subscription.objects.exists()
        assert not Invoice.objects.exists()


class TestWithdraw:
    def test_closes_the_request(self, cast):
        request = propose(cast)

        request.withdraw(by=cast.maya, at=NOW)

        assert (request.state, request.decided_by) == ("WITHDRAWN", cast.maya)
        assert happened(cast) == {"billing_request.sent": 1, "billing_request.withdrawn": 1}
        assert Event.objects.get(code="billing_request.withdrawn").organization == cast.northwind


class TestRevise:
    def test_retires_the_old_one_and_sends_a_new_one(self, cast):
        old = propose(cast, note="First.")

        new = old.revise(Proposal(cast.scale, note="Better."), by=cast.maya, at=NOW)

        assert (old.state, new.state, new.revises) == ("REVISED", "PENDING", old)
        assert new.note == "Better."
        assert happened(cast) == {"billing_request.sent": 1, "billing_request.revised": 1}
        event = Event.objects.get(code="billing_request.revised")
        assert event.subject_id == str(new.pk)

    def test_that_cannot_be_leaves_the_old_one_standing(self, cast):
        old = propose(cast)

        with pytest.raises(Invalid):
            old.revise(Proposal(cast.contoso_basic), by=cast.noah, at=NOW)

        assert old.state == BillingRequest.objects.get().state == "PENDING"
        approve(cast, old)

    def test_can_be_repeated(self, cast):
        first = propose(cast)
        second = first.revise(Proposal(cast.scale), by=cast.noah, at=NOW)
        third = second.revise(Proposal(cast.growth), by=cast.noah, at=NOW)

        approve(cast, third)

        assert [first.state, second.state, third.state] == ["REVISED", "REVISED", "APPROVED"]


class TestExpire:
    def test_closes_what_nobody_decided_in_time(self, cast):
        request = propose(cast)

        assert not request.expire(at=request.expires_at - timedelta(microseconds=1))
        assert request.expire(at=request.expires_at)
        assert not request.expire(at=request.expires_at)

        found = BillingRequest.objects.get()
        assert (found.state, found.decided_at) == ("EXPIRED", request.expires_at)
        assert happened(cast) == {"billing_request.sent": 1, "billing_request.expired": 1}
        event = Event.objects.get(code="billing_request.expired")
        assert (event.actor, event.facts["outcome"]) == (None, "Expired")

    def test_finds_what_is_overdue(self, cast):
        soon = propose(cast, expires_at=NOW + timedelta(days=1))
        propose(cast)

        assert list(BillingRequest.objects.overdue(NOW + timedelta(days=2))) == [soon]


class TestRemind:
    def test_goes_out_once_within_the_last_three_days(self, cast):
        request = propose(cast)
        early = request.expires_at - timedelta(days=3, microseconds=1)
        due = request.expires_at - timedelta(days=3)

        assert not request.remind(at=early)
        assert request.remind(at=due)
        assert not request.remind(at=due + timedelta(hours=1))

        assert happened(cast) == {"billing_request.sent": 1, "billing_request.reminded": 1}
        assert BillingRequest.objects.get().is_pending

    def test_is_not_sent_when_it_is_too_late(self, cast):
        request = propose(cast)

        assert not request.remind(at=request.expires_at)

    def test_does_not_change_the_terms(self, cast):
        request = propose(cast)
        request.remind(at=request.expires_at - timedelta(days=1))

        approve(cast, request)


class TestChoose:
    """A customer's own act, on Bluebird's connection with Revampd."""

    @pytest.fixture
    def tier(self, cast):
        return plan(cast.revampd, cast.rhea, "Access", 20_00)

    def choose(self, cast, item, by, **details) -> BillingRequest:
        return BillingRequest.choose(
            Proposal(item, **details), connection=cast.revampd_bluebird, by=by, at=NOW
        )

    def test_is_made_and_approved_in_one_step(self, cast, tier):
        request = self.choose(cast, tier, cast.bella)

        found = BillingRequest.objects.get()
        assert (found.state, found.made_by) == ("APPROVED", "CUSTOMER")
        assert found.proposed_by == found.decided_by == cast.bella
        assert found.seal == terms.seal(found.terms) == request.seal
        codes = Event.objects.filter(connection=cast.revampd_bluebird, actor=cast.bella)
        assert sorted(codes.values_list("code", flat=True)) == [
            "billing_request.chosen",
            "subscription.started",
        ]
        assert cast.revampd_bluebird.invoices.get().lines.get().request == found

    @pytest.mark.parametrize("name", ["sam", "theo", "noah", "maya", "rhea", "fay", "zed"])
    def test_is_for_owners_and_billing_of_the_customer(self, cast, tier, name):
        with pytest.raises(NotAllowed):
            self.choose(cast, tier, getattr(cast, name))

        assert not BillingRequest.objects.exists()

    def test_of_an_add_on_needs_a_tier_that_a_partner_has(self, cast, tier):
        add_on = AddOn.offer(provider=cast.revampd, by=cast.rhea, name="Line", unit_price=5_00)
        details = {"connection": cast.revampd_northwind, "by": cast.maya, "at": NOW}

        with pytest.raises(DomainError):
            BillingRequest.choose(Proposal(add_on), **details)
        assert not BillingRequest.objects.exists()
        BillingRequest.choose(Proposal(tier), **details)
        BillingRequest.choose(Proposal(add_on, quantity=2), **details)

    def test_is_nothing_that_a_partners_customer_can_do(self, cast):
        with pytest.raises(NotAllowed, match="changes through requests"):
            BillingRequest.choose(
                Proposal(cast.growth), connection=cast.northwind_bluebird, by=cast.ben, at=NOW
            )

        assert not BillingRequest.objects.exists()

    def test_needs_an_active_connection(self, cast, tier):
        Connection.objects.filter(pk=cast.revampd_bluebird.pk).update(state="SUSPENDED")

        with pytest.raises(Invalid):
            self.choose(cast, tier, cast.ben)


class TestPreview:
    def test_is_todays_even_if_the_terms_are_older(self, cast):
        agree(cast)
        request = propose(cast, cast.scale)

        later = request.preview(day("2026-11-30"))

        assert later.first_invoice.minor == -49_67 + 99_00 + 297_00
        assert request.terms["first_invoice"]["amount"] != later.first_invoice.minor

    def test_on_the_day_of_the_proposal_is_what_was_sealed(self, cast):
        agree(cast)
        request = propose(cast, cast.scale)

        assert (
            request.preview(TODAY).first_invoice.minor == request.terms["first_invoice"]["amount"]
        )


class TestDayOf:
    @pytest.mark.parametrize(
        ("zone", "starts"),
        [
            ("Pacific/Auckland", "2026-11-11"),
            ("UTC", "2026-11-10"),
            ("America/Los_Angeles", "2026-11-10"),
        ],
    )
    def test_is_the_providers_own(self, cast, zone, starts):
        Organization.objects.filter(pk=cast.northwind.pk).update(time_zone=zone)
        evening = datetime(2026, 11, 10, 20, tzinfo=UTC)

        request = agree(cast, at=evening)

        assert request.starts_on == day(starts)


def test_nothing_here_reads_the_clock(cast, monkeypatch):
    """Verbs take the instant as an argument; history can be replayed."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(1999, 1, 1, tzinfo=UTC))

    agree(cast)
    agree(cast, cast.scale, at=noon(2026, 11, 20))

    ats = Event.objects.filter(connection=cast.northwind_bluebird, at__year__gte=2026)
    assert {event.at for event in ats if event.actor == cast.ben} >= {NOW, noon(2026, 11, 20)}
