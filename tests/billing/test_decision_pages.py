"""Approving, rejecting and withdrawing: in a request's page, and in a notification."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from notifications.draining import drain_events
from tests.billing.deals import HTMX, MARKUP, approve, propose, request_url, run
from tests.cast import Cast
from tests.pages import text


class TestApproveRequest:
    def test_approves_and_shows_the_outcome(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(
            request_url("approve-request", request),
            {"seal": request.seal, "note": "Yes"},
            follow=True,
        )

        request.refresh_from_db()
        assert page.redirect_chain == [(request_url("request", request), 303)]
        assert (request.state, request.decided_by) == ("APPROVED", cast.ben)
        assert "You approved Growth." in text(page)

    def test_answers_htmx_with_the_panel(self, cast, as_):
        request = propose(cast)

        page = as_(cast.bella).post(
            request_url("approve-request", request), {"seal": request.seal}, headers=HTMX
        )

        assert page.status_code == 200
        assert 'id="request"' in text(page)
        assert "<html" not in text(page)
        assert "Bella Tester approved this" in text(page)

    @pytest.mark.parametrize(
        ("name", "status"),
        [("maya", 403), ("noah", 403), ("dora", 403), ("sam", 403), ("theo", 403), ("fay", 404)],
    )
    def test_is_only_for_owners_and_billing_of_the_customer(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(
            request_url("approve-request", request), {"seal": request.seal}
        )

        request.refresh_from_db()
        assert page.status_code == status
        assert request.is_pending

    def test_happens_once_and_tells_the_second_who_was_first(self, cast, as_):
        request = propose(cast)
        as_(cast.bella).post(request_url("approve-request", request), {"seal": request.seal})

        page = as_(cast.ben).post(
            request_url("approve-request", request), {"seal": request.seal}, headers=HTMX
        )

        assert page.status_code == 409
        assert "Bella Tester approved this request on" in text(page)
        assert cast.northwind_bluebird.invoices.count() == 1

    def test_refuses_a_forged_seal(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(request_url("approve-request", request), {"seal": "0" * 64})

        assert page.status_code == 409
        assert "not the terms of this request" in text(page)
        assert BillingRequest.objects.get(pk=request.pk).is_pending

    def test_says_what_changed_when_the_seal_is_of_the_request_before(self, cast, as_):
        old = propose(cast)
        new = old.revise(Proposal(cast.scale), by=cast.noah, at=timezone.now())

        page = text(as_(cast.ben).post(request_url("approve-request", new), {"seal": old.seal}))

        assert "What you saw" in page
        assert "$149.00 a month" in page

    @pytest.mark.parametrize("seal", ["", "x" * 100_000, "é"])
    def test_refuses_an_odd_seal(self, cast, as_, seal):
        request = propose(cast)

        page = as_(cast.ben).post(request_url("approve-request", request), {"seal": seal})

        assert page.status_code == 409

    def test_refuses_what_postgresql_cannot_store(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(
            request_url("approve-request", request), {"seal": "\x00", "note": "\x00"}
        )

        assert page.status_code == 422

    def test_keeps_a_note_that_is_too_long(self, cast, as_):
        request = propose(cast)
        note = MARKUP + "x" * 100_000

        page = as_(cast.ben).post(
            request_url("approve-request", request),
            {"seal": request.seal, "note": note},
            headers=HTMX,
        )

        assert page.status_code == 422
        assert "Keep the note under 2,000 characters." in text(page)
        assert "x" * 100_000 in text(page)
        assert MARKUP not in text(page)

    def test_shows_a_note_with_markup_as_text(self, cast, as_):
        request = propose(cast)
        as_(cast.ben).post(
            request_url("approve-request", request), {"seal": request.seal, "note": MARKUP}
        )

        page = text(as_(cast.maya).get(request_url("request", request)))

        assert MARKUP not in page
        assert "&lt;script&gt;" in page

    def test_refuses_an_add_on_that_has_nothing_to_join(self, cast, as_):
        propose(cast)
        request = propose(cast, cast.phone_numbers)

        page = as_(cast.ben).post(
            request_url("approve-request", request), {"seal": request.seal}, headers=HTMX
        )

        assert page.status_code == 409
        assert "Approve a plan first." in text(page)

    def test_changes_nothing_on_get(self, cast, as_):
        request = propose(cast)

        assert as_(cast.ben).get(request_url("approve-request", request)).status_code == 405


class TestRejectRequest:
    def test_rejects_with_the_note(self, cast, as_):
        request = propose(cast)

        as_(cast.bella).post(request_url("reject-request", request), {"note": "Too soon"})

        request.refresh_from_db()
        assert (request.state, request.decision_note) == ("REJECTED", "Too soon")
        assert not cast.northwind_bluebird.invoices.exists()

    @pytest.mark.parametrize(("name", "status"), [("maya", 403), ("theo", 403), ("zed", 404)])
    def test_is_only_for_who_decides(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(request_url("reject-request", request))

        assert page.status_code == status

    def test_tells_who_decided_before(self, cast, as_):
        request = approve(cast, propose(cast))

        page = as_(cast.bella).post(request_url("reject-request", request), headers=HTMX)

        assert page.status_code == 409
        assert "Ben Tester approved this request on" in text(page)


class TestWithdrawRequest:
    def test_takes_the_proposal_back(self, cast, as_):
        request = propose(cast)

        page = as_(cast.noah).post(request_url("withdraw-request", request), headers=HTMX)

        request.refresh_from_db()
        assert request.state == "WITHDRAWN"
        assert "withdrew this" in text(page)

    @pytest.mark.parametrize(("name", "status"), [("ben", 403), ("vera", 403), ("oscar", 404)])
    def test_is_only_for_owners_and_billing_of_the_provider(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(request_url("withdraw-request", request))

        assert page.status_code == status

    def test_is_refused_after_the_decision(self, cast, as_):
        request = run(cast)

        page = as_(cast.noah).post(request_url("withdraw-request", request))

        assert page.status_code == 409
        assert "It stays so." in text(page)


class TestDecidingInANotification:
    @pytest.fixture
    def waiting(self, cast: Cast) -> BillingRequest:
        request = propose(cast)
        drain_events()
        return request

    def decide(self, browser: Client, cast: Cast, waiting: BillingRequest, **options):
        notification = cast.ben.notifications.get()
        data = {"seal": waiting.seal, "notification": notification.pk, **options.pop("data", {})}
        return browser.post(request_url("approve-request", waiting), data, **options)

    def test_offers_the_buttons_in_the_list(self, cast, as_, waiting):
        page = text(as_(cast.ben).get(reverse("notifications:list")))

        assert request_url("approve-request", waiting) in page
        assert waiting.seal in page

    def test_shows_the_outcome_in_its_place(self, cast, as_, waiting):
        page = self.decide(as_(cast.ben), cast, waiting, headers=HTMX)

        notification = cast.ben.notifications.first()
        assert f'id="notified-{notification.pk}"' in text(page)
        assert "Approved" in text(page)
        assert request_url("approve-request", waiting) not in text(page)

    def test_shows_a_refusal_in_its_place(self, cast, as_, waiting):
        waiting.withdraw(by=cast.noah, at=timezone.now())

        page = self.decide(as_(cast.ben), cast, waiting, headers=HTMX)

        assert page.status_code == 409
        assert "Noah Tester withdrew this request on" in text(page)
        assert 'id="notified-' in text(page)

    def test_leads_back_to_where_it_was_without_javascript(self, cast, as_, waiting):
        back = f"{reverse('notifications:list')}?category=BILLING_MANAGEMENT"

        page = self.decide(as_(cast.ben), cast, waiting, data={"next": back})

        assert (page.status_code, page["Location"]) == (303, back)

    @pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "javascript:x"])
    def test_leads_nowhere_else(self, cast, as_, waiting, evil):
        page = self.decide(as_(cast.ben), cast, waiting, data={"next": evil})

        assert page["Location"] == reverse("notifications:list")

    @pytest.mark.parametrize("key", ["x", "9" * 30, "-1", "0"])
    def test_takes_an_unknown_notification_for_none(self, cast, as_, waiting, key):
        page = as_(cast.ben).post(
            request_url("approve-request", waiting), {"seal": waiting.seal, "notification": key}
        )

        assert page["Location"] == request_url("request", waiting)
