"""Requests: each verb once and by the right people; rejecting, withdrawing, revising, expiring."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import BillingRequest, Invoice, Subscription
from billing.models.proposals import Proposal
from billing.models.requests import AlreadyDecided
from connections.models import Event, Organization, User
from revampd.kit.errors import Invalid, NotAllowed
from tests.billing.acts import (
    NOW,
    TODAY,
    agree,
    approve,
    day,
    happened,
    noon,
    propose,
)
from tests.cast import Cast

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
