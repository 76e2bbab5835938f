"""What a search asks the database for, however much there is to find."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from connections.models import Connection, Organization
from revampd.kit.search import beginnings
from tests.billing.deals import many_invoices, queries, run
from tests.factories import MembershipFactory, customers


@pytest.fixture
def statistics(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Lets a test ask for statistics of its rows, as the database makes them of rows that stay.

    They are the owner's to ask for. What PostgreSQL thinks of tables without them is chance here:
    it depends on which tests were before.
    """

    def as_owner(statement: str) -> None:
        owner: Any = connections["owner"]
        role = owner.ops.quote_name(connections["default"].settings_dict["USER"])
        with django_db_blocker.unblock(), owner.cursor() as cursor:
            if owner.pg_version >= 170000:  # before, nobody but the owner could be let
                cursor.execute(statement.format(role))
            owner.close()

    as_owner("GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {}")
    yield
    as_owner("REVOKE MAINTAIN ON ALL TABLES IN SCHEMA public FROM {}")


class TestCost:
    @pytest.mark.parametrize("text", ["clinic", "149", "1", "tester", "plan blue", "growth"])
    @pytest.mark.parametrize("path", ["/search/?q={}", "/search/?in=invoices&q={}",
                                      "/search/palette/?q={}"])  # fmt: skip
    def test_is_the_same_for_hundreds_as_for_one(self, statistics, cast, as_, path, text):
        first = run(cast)
        browser, address = as_(cast.maya), path.format(text)
        few = queries(browser, address)
        many_invoices(first, 40)
        for connection in customers(cast.northwind, 60):
            MembershipFactory.create(organization=connection.customer)
        Organization.objects.filter(bought__provider=cast.northwind).update(name="Clinic")
        with database.cursor() as cursor:
            cursor.execute("ANALYZE")

        assert queries(browser, address) <= max(few, 1)
        assert few <= 10

    def test_looks_for_names_once_whatever_they_are_joined_with(self, cast):
        """Else tables without statistics may have PostgreSQL look anew for every connection."""
        found = Connection.objects.found([cast.northwind.pk], words=beginnings("plan blue"))
        explained = found.select_related("provider", "customer").explain(format="json")
        plan = json.loads(explained)[0]["Plan"]

        assert "to_tsvector" in explained
        assert "to_tsvector" not in str(without_what_is_made_first(plan))


def without_what_is_made_first(plan: dict[str, Any]) -> dict[str, Any]:
    """A part of a plan without those that PostgreSQL runs once, before it."""
    later = [part for part in plan.get("Plans", []) if part["Parent Relationship"] != "InitPlan"]
    return plan | {"Plans": [without_what_is_made_first(part) for part in later]}
