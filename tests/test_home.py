"""Where a person lands, and the lists that bring the apps together."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from connections.models import Connection, User
from tests.cast import Cast
from tests.factories import MembershipFactory, customers

SignIn = Callable[[User], Client]


def queries(browser: Client, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(database) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def waiting(cast: Cast, connection: Connection) -> BillingRequest:
    return BillingRequest.propose(
        Proposal(cast.setup), connection=connection, by=cast.noah, at=timezone.now()
    )


class TestHome:
    def test_leads_to_the_only_connection(self, cast, as_):
        [only] = customers(cast.northwind, 1)
        visitor = MembershipFactory.create(organization=only.customer).user

        assert as_(visitor).get("/")["Location"] == f"/connections/{only.pk}/"

    def test_leads_to_the_list_if_there_are_several(self, cast, as_):
        assert as_(cast.ben).get("/")["Location"] == "/connections/"

    def test_says_what_to_do_to_somebody_who_belongs_nowhere(self, cast, as_):
        answer = as_(cast.zed).get("/connections/")

        assert b"You belong to no organization yet" in answer.content


class TestConnectionList:
    def test_puts_what_waits_for_a_decision_on_top(self, cast, as_):
        waiting(cast, cast.northwind_bluebird)

        page = as_(cast.ben).get("/connections/").content.decode()

        assert page.index("Waits for your decision") < page.index("You buy from")
        assert "Northwind Agency proposes Setup" in page

    @pytest.mark.parametrize("name", ["sam", "theo", "dora", "noah"])
    def test_offers_no_decision_to_whoever_may_not_decide(self, cast, as_, name):
        waiting(cast, cast.northwind_bluebird)

        page = as_(getattr(cast, name)).get("/connections/").content.decode()

        assert "Waits for your decision" not in page

    def test_tells_buying_from_selling(self, cast, as_):
        page = as_(cast.maya).get("/connections/").content.decode()

        buying, selling = page.split("You buy from</h2>")[1].split("You sell to</h2>")
        assert "Revampd</a>" in buying
        assert "Bluebird Clinic</a>" not in buying
        assert "Bluebird Clinic</a>" in selling

    def test_narrows_to_one_of_several_organizations(self, cast, as_):
        page = as_(cast.dora).get(f"/connections/?as={cast.bluebird.slug}").content.decode()

        assert "You sell to" not in page

    def test_takes_as_many_queries_for_a_thousand_as_for_ten(self, cast, as_):
        browser = as_(cast.maya)
        customers(cast.northwind, 10)
        few = queries(browser, "/connections/")
        customers(cast.northwind, 990)

        assert queries(browser, "/connections/") == few <= 10


class TestSubOrgs:
    @pytest.fixture
    def path(self, cast: Cast) -> str:
        return f"/organizations/{cast.northwind.slug}/sub-orgs/"

    def test_shows_plan_amount_and_what_waits(self, cast, as_, path):
        at = timezone.now() - timedelta(days=1)
        request = BillingRequest.propose(
            Proposal(cast.growth), connection=cast.northwind_bluebird, by=cast.noah, at=at
        )
        request.approve(by=cast.ben, seal=request.seal, at=at)
        waiting(cast, cast.northwind_bluebird)

        page = as_(cast.vera).get(path).content.decode()

        assert "Growth" in page
        assert "$149.00" in page
        assert "1 to decide" in page

    def test_finds_by_name_and_state(self, cast, as_, path):
        browser = as_(cast.maya)
        customers(cast.northwind, 3)

        assert b"Bluebird Clinic" in browser.get(path + "?q=blueB").content
        assert b"Bluebird Clinic" not in browser.get(path + "?q=nothing").content
        assert b"Bluebird Clinic" in browser.get(path + "?state=ACTIVE&sort=-name").content
        assert browser.get(path + "?state=%00&sort='&page=x&q=%00").status_code == 200

    def test_is_not_there_for_a_sub_org(self, cast, as_):
        answer = as_(cast.ben).get(f"/organizations/{cast.bluebird.slug}/sub-orgs/")

        assert answer.status_code == 404

    def test_takes_as_many_queries_for_a_thousand_as_for_ten(self, cast, as_, path):
        browser = as_(cast.maya)
        customers(cast.northwind, 10)
        few = queries(browser, path)
        customers(cast.northwind, 990)

        assert queries(browser, path) == few <= 10


class TestOverview:
    @pytest.mark.parametrize("name", ["maya", "vera", "ben", "theo"])
    def test_opens_for_every_role_on_both_sides(self, cast, as_, name):
        answer = as_(getattr(cast, name)).get(f"/connections/{cast.northwind_bluebird.pk}/")

        assert answer.status_code == 200

    def test_takes_at_most_ten_queries_whatever_happened(self, cast, as_):
        path = f"/connections/{cast.northwind_bluebird.pk}/"
        browser = as_(cast.maya)
        before = queries(browser, path)
        for _ in range(5):
            waiting(cast, cast.northwind_bluebird)

        assert queries(browser, path) == before <= 10
