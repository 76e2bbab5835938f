"""The pages of requests: what each side sees, and deciding on them."""

import html
import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from billing.pricing import Timing
from notifications.draining import drain_events
from tests.billing.deals import HTMX, MARKUP, approve, many_requests, propose, queries, run
from tests.cast import Cast


def url(name: str, request: BillingRequest) -> str:
    return reverse(f"billing:{name}", args=[request.connection_id, request.pk])


def list_url(cast: Cast) -> str:
    return reverse("billing:requests", args=[cast.northwind_bluebird.pk])


def text(response) -> str:
    return response.content.decode()


class TestRequestList:
    @pytest.mark.parametrize("name", ["maya", "noah", "dana", "vera", "ben", "bella", "theo"])
    def test_is_read_by_all_members_of_both_sides(self, cast, as_, name):
        propose(cast)

        page = as_(getattr(cast, name)).get(list_url(cast))

        assert page.status_code == 200
        assert "Start Growth" in text(page)

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        assert as_(getattr(cast, name)).get(list_url(cast)).status_code == 404

    def test_offers_a_new_request_only_to_who_may_send_one(self, cast, as_):
        new = reverse("billing:propose", args=[cast.northwind_bluebird.pk])

        assert new in text(as_(cast.noah).get(list_url(cast)))
        for user in (cast.dana, cast.vera, cast.ben):
            assert new not in text(as_(user).get(list_url(cast)))

    def test_filters_by_state_and_kind_with_counts(self, cast, as_):
        run(cast)
        propose(cast, cast.setup)
        propose(cast, cast.phone_numbers, quantity=3)
        browser = as_(cast.ben)

        waiting = browser.get(list_url(cast), {"state": "PENDING"})
        charges = browser.get(list_url(cast), {"kind": "ONE_TIME"})

        assert {row.kind for row in waiting.context["rows"]} == {"ONE_TIME", "ADD_ON"}
        assert ("PENDING", "Waiting for approval", 2) in waiting.context["states"]
        assert [row.kind for row in charges.context["rows"]] == ["ONE_TIME"]
        assert ("PENDING", "Waiting for approval", 1) in charges.context["states"]

    def test_sorts_by_the_day_of_decision(self, cast, as_):
        now = timezone.now()
        late = propose(cast, expires_at=now + timedelta(days=90))
        soon = propose(cast, cast.setup, expires_at=now + timedelta(days=2))

        page = as_(cast.ben).get(list_url(cast), {"sort": "decide-by"})

        assert list(page.context["rows"]) == [soon, late]

    @pytest.mark.parametrize(
        "query", [{"state": "NOPE"}, {"kind": "'"}, {"sort": "password"}, {"page": "9" * 5000}]
    )
    def test_leaves_out_filters_that_do_not_exist(self, cast, as_, query):
        propose(cast)

        page = as_(cast.ben).get(list_url(cast), query)

        assert page.status_code == 200
        assert len(page.context["rows"]) == 1

    def test_costs_the_same_with_ten_and_a_thousand_rows(self, cast, as_):
        pattern = propose(cast)
        many_requests(pattern, 9)
        few = queries(as_(cast.ben), list_url(cast))

        many_requests(pattern, 990)

        assert queries(as_(cast.ben), list_url(cast)) == few <= 10
        assert len(as_(cast.ben).get(list_url(cast)).context["rows"]) == 25

    def test_says_what_will_stand_there(self, cast, as_):
        assert "No requests yet" in text(as_(cast.ben).get(list_url(cast)))


class TestRequestDetail:
    def test_shows_the_money_sentence_to_who_decides(self, cast, as_):
        request = propose(cast, note=f"For you {MARKUP}")

        page = text(as_(cast.ben).get(url("request", request)))

        assert "$149.00" in page
        assert "each month" in page
        assert request.seal in page
        assert url("approve-request", request) in page
        assert MARKUP not in page

    def test_offers_no_decision_to_others_and_says_who_decides(self, cast, as_):
        request = propose(cast)

        for user in (cast.maya, cast.noah, cast.vera, cast.sam, cast.theo, cast.dora):
            page = text(as_(user).get(url("request", request)))
            assert url("approve-request", request) not in page
            assert "decides" in page or "has to decide" in page

    def test_offers_revision_and_withdrawal_to_who_may_propose(self, cast, as_):
        request = propose(cast)

        assert url("withdraw-request", request) in text(as_(cast.noah).get(url("request", request)))
        for user in (cast.vera, cast.dana, cast.ben):
            page = text(as_(user).get(url("request", request)))
            assert url("withdraw-request", request) not in page

    def test_shows_what_followed_an_approval(self, cast, as_):
        request = run(cast)

        page = text(as_(cast.maya).get(url("request", request)))

        invoice = cast.northwind_bluebird.invoices.get()
        assert "Ben Tester approved this" in page
        assert reverse("billing:invoice", args=[request.connection_id, invoice.number]) in page

    def test_leads_from_a_revised_request_to_the_new_one(self, cast, as_):
        old = propose(cast)
        new = old.revise(Proposal(cast.scale), by=cast.noah, at=timezone.now())

        assert url("request", new) in text(as_(cast.ben).get(url("request", old)))
        page = text(as_(cast.ben).get(url("request", new)))
        assert url("request", old) in page
        assert "$149.00 a month" in page
        assert "$297.00 a month" in page

    def test_is_not_there_for_a_request_of_another_connection(self, cast, as_):
        request = propose(cast)
        other = reverse("billing:request", args=[cast.contoso_fabrikam.pk, request.pk])
        unknown = reverse("billing:request", args=[request.connection_id, uuid.uuid4()])

        assert as_(cast.oscar).get(other).status_code == 404
        assert as_(cast.ben).get(unknown).status_code == 404

    def test_costs_few_queries(self, cast, as_):
        run(cast)
        waiting = propose(cast, cast.scale, timing=Timing.NEXT_CYCLE)

        assert queries(as_(cast.ben), url("request", waiting)) <= 10
        assert queries(as_(cast.noah), url("request", waiting)) <= 10


class TestApproveRequest:
    def test_approves_and_shows_the_outcome(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(
            url("approve-request", request), {"seal": request.seal, "note": "Yes"}, follow=True
        )

        request.refresh_from_db()
        assert page.redirect_chain == [(url("request", request), 303)]
        assert (request.state, request.decided_by) == ("APPROVED", cast.ben)
        assert "You approved Growth." in text(page)

    def test_answers_htmx_with_the_panel(self, cast, as_):
        request = propose(cast)

        page = as_(cast.bella).post(
            url("approve-request", request), {"seal": request.seal}, headers=HTMX
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
            url("approve-request", request), {"seal": request.seal}
        )

        request.refresh_from_db()
        assert page.status_code == status
        assert request.is_pending

    def test_happens_once_and_tells_the_second_who_was_first(self, cast, as_):
        request = propose(cast)
        as_(cast.bella).post(url("approve-request", request), {"seal": request.seal})

        page = as_(cast.ben).post(
            url("approve-request", request), {"seal": request.seal}, headers=HTMX
        )

        assert page.status_code == 409
        assert "Bella Tester approved this request on" in text(page)
        assert cast.northwind_bluebird.invoices.count() == 1

    def test_refuses_a_forged_seal(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(url("approve-request", request), {"seal": "0" * 64})

        assert page.status_code == 409
        assert "not the terms of this request" in text(page)
        assert BillingRequest.objects.get(pk=request.pk).is_pending

    def test_says_what_changed_when_the_seal_is_of_the_request_before(self, cast, as_):
        old = propose(cast)
        new = old.revise(Proposal(cast.scale), by=cast.noah, at=timezone.now())

        page = text(as_(cast.ben).post(url("approve-request", new), {"seal": old.seal}))

        assert "What you saw" in page
        assert "$149.00 a month" in page

    @pytest.mark.parametrize("seal", ["", "x" * 100_000, "é"])
    def test_refuses_an_odd_seal(self, cast, as_, seal):
        request = propose(cast)

        page = as_(cast.ben).post(url("approve-request", request), {"seal": seal})

        assert page.status_code == 409

    def test_refuses_what_postgresql_cannot_store(self, cast, as_):
        request = propose(cast)

        page = as_(cast.ben).post(url("approve-request", request), {"seal": "\x00", "note": "\x00"})

        assert page.status_code == 422

    def test_keeps_a_note_that_is_too_long(self, cast, as_):
        request = propose(cast)
        note = MARKUP + "x" * 100_000

        page = as_(cast.ben).post(
            url("approve-request", request), {"seal": request.seal, "note": note}, headers=HTMX
        )

        assert page.status_code == 422
        assert "Keep the note under 2,000 characters." in text(page)
        assert "x" * 100_000 in text(page)
        assert MARKUP not in text(page)

    def test_shows_a_note_with_markup_as_text(self, cast, as_):
        request = propose(cast)
        as_(cast.ben).post(url("approve-request", request), {"seal": request.seal, "note": MARKUP})

        page = text(as_(cast.maya).get(url("request", request)))

        assert MARKUP not in page
        assert "&lt;script&gt;" in page

    def test_refuses_an_add_on_that_has_nothing_to_join(self, cast, as_):
        propose(cast)
        request = propose(cast, cast.phone_numbers)

        page = as_(cast.ben).post(
            url("approve-request", request), {"seal": request.seal}, headers=HTMX
        )

        assert page.status_code == 409
        assert "Approve a plan first." in text(page)

    def test_changes_nothing_on_get(self, cast, as_):
        request = propose(cast)

        assert as_(cast.ben).get(url("approve-request", request)).status_code == 405


class TestRejectRequest:
    def test_rejects_with_the_note(self, cast, as_):
        request = propose(cast)

        as_(cast.bella).post(url("reject-request", request), {"note": "Too soon"})

        request.refresh_from_db()
        assert (request.state, request.decision_note) == ("REJECTED", "Too soon")
        assert not cast.northwind_bluebird.invoices.exists()

    @pytest.mark.parametrize(("name", "status"), [("maya", 403), ("theo", 403), ("zed", 404)])
    def test_is_only_for_who_decides(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(url("reject-request", request))

        assert page.status_code == status

    def test_tells_who_decided_before(self, cast, as_):
        request = approve(cast, propose(cast))

        page = as_(cast.bella).post(url("reject-request", request), headers=HTMX)

        assert page.status_code == 409
        assert "Ben Tester approved this request on" in text(page)


class TestWithdrawRequest:
    def test_takes_the_proposal_back(self, cast, as_):
        request = propose(cast)

        page = as_(cast.noah).post(url("withdraw-request", request), headers=HTMX)

        request.refresh_from_db()
        assert request.state == "WITHDRAWN"
        assert "withdrew this" in text(page)

    @pytest.mark.parametrize(("name", "status"), [("ben", 403), ("vera", 403), ("oscar", 404)])
    def test_is_only_for_owners_and_billing_of_the_provider(self, cast, as_, name, status):
        request = propose(cast)

        page = as_(getattr(cast, name)).post(url("withdraw-request", request))

        assert page.status_code == status

    def test_is_refused_after_the_decision(self, cast, as_):
        request = run(cast)

        page = as_(cast.noah).post(url("withdraw-request", request))

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
        return browser.post(url("approve-request", waiting), data, **options)

    def test_offers_the_buttons_in_the_list(self, cast, as_, waiting):
        page = text(as_(cast.ben).get(reverse("notifications:list")))

        assert url("approve-request", waiting) in page
        assert waiting.seal in page

    def test_shows_the_outcome_in_its_place(self, cast, as_, waiting):
        page = self.decide(as_(cast.ben), cast, waiting, headers=HTMX)

        notification = cast.ben.notifications.first()
        assert f'id="notified-{notification.pk}"' in text(page)
        assert "Approved" in text(page)
        assert url("approve-request", waiting) not in text(page)

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
            url("approve-request", waiting), {"seal": waiting.seal, "notification": key}
        )

        assert page["Location"] == url("request", waiting)


class TestLive:
    """An open page asks by itself, saying which version it shows."""

    def ask(self, browser: Client, path: str, version: str):
        return browser.get(path, headers={**HTMX, "Live-Version": version})

    def version(self, response) -> str:
        found = re.search(r'"Live-Version": "([^"]+)"', html.unescape(text(response)))
        return found[1] if found else ""

    def test_panel_hears_unchanged_and_then_the_decision(self, cast, as_):
        request = propose(cast)
        path, noah = url("request", request), as_(cast.noah)
        version = self.version(noah.get(path))

        assert self.ask(noah, path, version).status_code == 204
        request.reject(by=cast.ben, at=timezone.now())
        told = self.ask(noah, path, version)

        assert "Ben Tester rejected this request." in text(told)
        assert 'id="request"' in text(told)
        assert "<main" not in text(told)
        assert not self.version(told)  # nothing more can happen, so it asks no more

    def test_panel_hears_when_it_is_too_late(self, cast, as_):
        request = propose(cast, expires_at=timezone.now() + timedelta(hours=1))
        path, ben = url("request", request), as_(cast.ben)
        version = self.version(ben.get(path))
        assert "Approve" in text(ben.get(path))

        with time_machine.travel(request.expires_at):
            told = self.ask(ben, path, version)

        assert "This request has expired." in text(told)
        assert 'name="seal"' not in text(told)

    def test_list_hears_unchanged_and_then_of_the_row(self, cast, as_):
        request = propose(cast)
        path, noah = f"{list_url(cast)}?sort=proposed", as_(cast.noah)
        version = self.version(noah.get(path))
        assert self.ask(noah, path, version).status_code == 204

        request.reject(by=cast.ben, at=timezone.now())
        told = self.ask(noah, path, version)

        assert 'id="request-list"' in text(told)
        assert "Rejected" in text(told)
        assert "<main" not in text(told)
        assert not self.version(told)

    def test_asking_costs_a_query_beside_the_door(self, cast, as_):
        request = propose(cast)
        noah = as_(cast.noah)

        for path in (url("request", request), list_url(cast)):
            version = self.version(noah.get(path))
            with CaptureQueriesContext(connection) as asked:
                assert self.ask(noah, path, version).status_code == 204
            assert len(asked) <= 5, [query["sql"] for query in asked]
