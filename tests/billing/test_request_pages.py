"""The pages of requests: what each side sees, and hears while it looks."""

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

from billing.models.proposals import Proposal
from billing.pricing import Timing
from tests.billing.deals import (
    HTMX,
    MARKUP,
    many_requests,
    propose,
    queries,
    request_url,
    requests_url,
    run,
)
from tests.pages import text


class TestRequestList:
    @pytest.mark.parametrize("name", ["maya", "noah", "dana", "vera", "ben", "bella", "theo"])
    def test_is_read_by_all_members_of_both_sides(self, cast, as_, name):
        propose(cast)

        page = as_(getattr(cast, name)).get(requests_url(cast))

        assert page.status_code == 200
        assert "Start Growth" in text(page)

    @pytest.mark.parametrize("name", ["oscar", "fay", "zed"])
    def test_is_not_there_for_strangers(self, cast, as_, name):
        assert as_(getattr(cast, name)).get(requests_url(cast)).status_code == 404

    def test_offers_a_new_request_only_to_who_may_send_one(self, cast, as_):
        new = reverse("billing:propose", args=[cast.northwind_bluebird.pk])

        assert new in text(as_(cast.noah).get(requests_url(cast)))
        for user in (cast.dana, cast.vera, cast.ben):
            assert new not in text(as_(user).get(requests_url(cast)))

    def test_filters_by_state_and_kind_with_counts(self, cast, as_):
        run(cast)
        propose(cast, cast.setup)
        propose(cast, cast.phone_numbers, quantity=3)
        browser = as_(cast.ben)

        waiting = browser.get(requests_url(cast), {"state": "PENDING"})
        charges = browser.get(requests_url(cast), {"kind": "ONE_TIME"})

        assert {row.kind for row in waiting.context["rows"]} == {"ONE_TIME", "ADD_ON"}
        assert ("PENDING", "Waiting for approval", 2) in waiting.context["states"]
        assert [row.kind for row in charges.context["rows"]] == ["ONE_TIME"]
        assert ("PENDING", "Waiting for approval", 1) in charges.context["states"]

    def test_sorts_by_the_day_of_decision(self, cast, as_):
        now = timezone.now()
        late = propose(cast, expires_at=now + timedelta(days=90))
        soon = propose(cast, cast.setup, expires_at=now + timedelta(days=2))

        page = as_(cast.ben).get(requests_url(cast), {"sort": "decide-by"})

        assert list(page.context["rows"]) == [soon, late]

    @pytest.mark.parametrize(
        "query", [{"state": "NOPE"}, {"kind": "'"}, {"sort": "password"}, {"page": "9" * 5000}]
    )
    def test_leaves_out_filters_that_do_not_exist(self, cast, as_, query):
        propose(cast)

        page = as_(cast.ben).get(requests_url(cast), query)

        assert page.status_code == 200
        assert len(page.context["rows"]) == 1

    def test_costs_the_same_with_ten_and_a_thousand_rows(self, cast, as_):
        pattern = propose(cast)
        many_requests(pattern, 9)
        few = queries(as_(cast.ben), requests_url(cast))

        many_requests(pattern, 990)

        assert queries(as_(cast.ben), requests_url(cast)) == few <= 10
        assert len(as_(cast.ben).get(requests_url(cast)).context["rows"]) == 25

    def test_says_what_will_stand_there(self, cast, as_):
        assert "No requests yet" in text(as_(cast.ben).get(requests_url(cast)))


class TestRequestDetail:
    def test_shows_the_money_sentence_to_who_decides(self, cast, as_):
        request = propose(cast, note=f"For you {MARKUP}")

        page = text(as_(cast.ben).get(request_url("request", request)))

        assert "$149.00" in page
        assert "each month" in page
        assert request.seal in page
        assert request_url("approve-request", request) in page
        assert MARKUP not in page

    def test_offers_no_decision_to_others_and_says_who_decides(self, cast, as_):
        request = propose(cast)

        for user in (cast.maya, cast.noah, cast.vera, cast.sam, cast.theo, cast.dora):
            page = text(as_(user).get(request_url("request", request)))
            assert request_url("approve-request", request) not in page
            assert "decides" in page or "has to decide" in page

    def test_offers_revision_and_withdrawal_to_who_may_propose(self, cast, as_):
        request = propose(cast)

        assert request_url("withdraw-request", request) in text(
            as_(cast.noah).get(request_url("request", request))
        )
        for user in (cast.vera, cast.dana, cast.ben):
            page = text(as_(user).get(request_url("request", request)))
            assert request_url("withdraw-request", request) not in page

    def test_shows_what_followed_an_approval(self, cast, as_):
        request = run(cast)

        page = text(as_(cast.maya).get(request_url("request", request)))

        invoice = cast.northwind_bluebird.invoices.get()
        assert "Ben Tester approved this" in page
        assert reverse("billing:invoice", args=[request.connection_id, invoice.number]) in page

    def test_leads_from_a_revised_request_to_the_new_one(self, cast, as_):
        old = propose(cast)
        new = old.revise(Proposal(cast.scale), by=cast.noah, at=timezone.now())

        assert request_url("request", new) in text(as_(cast.ben).get(request_url("request", old)))
        page = text(as_(cast.ben).get(request_url("request", new)))
        assert request_url("request", old) in page
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

        assert queries(as_(cast.ben), request_url("request", waiting)) <= 10
        assert queries(as_(cast.noah), request_url("request", waiting)) <= 10


class TestLive:
    """An open page asks by itself, saying which version it shows."""

    def ask(self, browser: Client, path: str, version: str):
        return browser.get(path, headers={**HTMX, "Live-Version": version})

    def version(self, response) -> str:
        found = re.search(r'"Live-Version": "([^"]+)"', html.unescape(text(response)))
        return found[1] if found else ""

    def test_panel_hears_unchanged_and_then_the_decision(self, cast, as_):
        request = propose(cast)
        path, noah = request_url("request", request), as_(cast.noah)
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
        path, ben = request_url("request", request), as_(cast.ben)
        version = self.version(ben.get(path))
        assert "Approve" in text(ben.get(path))

        with time_machine.travel(request.expires_at):
            told = self.ask(ben, path, version)

        assert "This request has expired." in text(told)
        assert 'name="seal"' not in text(told)

    def test_list_hears_unchanged_and_then_of_the_row(self, cast, as_):
        request = propose(cast)
        path, noah = f"{requests_url(cast)}?sort=proposed", as_(cast.noah)
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

        for path in (request_url("request", request), requests_url(cast)):
            version = self.version(noah.get(path))
            with CaptureQueriesContext(connection) as asked:
                assert self.ask(noah, path, version).status_code == 204
            assert len(asked) <= 5, [query["sql"] for query in asked]
