"""The lists of tickets and the way there: menu, filters, numbers, the file."""

import re

import pytest
from django.utils import timezone

from revampd.navigation import CONNECTION
from tests.billing.deals import queries
from tests.pages import text
from tests.tickets.acts import (
    answer,
    escalated,
    list_url,
    note,
    submit,
    support,
)
from tickets.models import Side


class TestMenu:
    def test_has_the_entries_of_the_product(self):
        labels = {
            ends: [entry.label for entry in menu if entry.icon in ("ticket", "send")]
            for ends, menu in CONNECTION.items()
        }

        for (_, _, side), found in labels.items():
            wanted = (
                ["Ticket Manager"] if side.value == "provider" else ["Tickets", "Submit Ticket"]
            )
            assert found == wanted

    @pytest.mark.parametrize("who", ["maya", "noah", "dana", "vera", "ben", "bella", "sam", "theo"])
    def test_opens_every_entry_that_it_offers(self, cast, as_, who):
        browser = as_(getattr(cast, who))
        menu = text(browser.get(list_url(cast.northwind_bluebird))).split("<main")[0]
        here = f'"(/connections/{cast.northwind_bluebird.pk}/[^"]*)"'
        entries = set(re.findall(here, menu))

        assert len(entries) >= 6
        assert {path: browser.get(path).status_code for path in entries} == dict.fromkeys(
            entries, 200
        )
        assert ("Submit Ticket" in menu) == (who in ("ben", "sam"))

    def test_counts_what_is_unread(self, cast, as_):
        submit(cast)

        page = text(as_(cast.dana).get(list_url(cast.northwind_bluebird)))

        assert page.count('1<span class="vh"> unread</span>') == 2

    def test_counts_for_a_seller_what_its_own_list_has(self, cast, as_):
        ticket = submit(cast, connection=cast.revampd_northwind, by=cast.dana)
        answer(ticket, cast.rhea)
        mark = '1<span class="vh"> unread</span>'

        assert mark not in text(as_(cast.dana).get("/organizations/northwind-agency/tickets/"))
        assert mark in text(as_(cast.dana).get(list_url(cast.revampd_northwind)))

    def test_counts_no_note_for_the_customer(self, cast, as_):
        ticket = submit(cast)
        note(ticket, cast.dana)

        page = text(as_(cast.ben).get(list_url(cast.northwind_bluebird)))

        assert page.count('<span class="vh"> unread</span>') == 1  # the ticket itself


class TestList:
    def test_narrows_down_and_sorts(self, cast, as_):
        submit(cast, "Alpha", priority="LOW")
        beta = submit(cast, "Beta", priority="HIGH")
        beta.assign(cast.dana, side=Side.PROVIDER, by=cast.maya, at=timezone.now())
        beta.set_status("RESOLVED", side=Side.PROVIDER, by=cast.maya, at=timezone.now())
        browser = as_(cast.maya)

        def found(**query):
            page = browser.get(list_url(cast.northwind_bluebird), query)
            return [row.title for row in page.context["rows"]]

        assert found() == ["Beta", "Alpha"]
        assert found(sort="priority") == ["Alpha", "Beta"]
        assert found(priority="HIGH") == ["Beta"]
        assert found(status="OPEN") == ["Alpha"]
        assert found(assignee=str(cast.dana.pk)) == ["Beta"]
        assert found(assignee="-") == ["Alpha"]
        assert found(q="alp") == ["Alpha"]
        assert found(q="#2") == ["Beta"]
        assert found(q="500") == ["Beta", "Alpha"]
        assert found(unread="yes") == ["Alpha"]

    @pytest.mark.parametrize(
        "query", [{"status": "NOPE"}, {"assignee": "9" * 99}, {"sort": "x"}, {"page": "9" * 50}]
    )
    def test_leaves_out_filters_that_do_not_exist(self, cast, as_, query):
        submit(cast)

        page = as_(cast.maya).get(list_url(cast.northwind_bluebird), query)

        assert len(page.context["rows"]) == 1

    def test_counts_by_status_and_assignee(self, cast, as_):
        support(cast)
        submit(cast)
        submit(cast).set_status("CLOSED", side=Side.PROVIDER, by=cast.dana, at=timezone.now())

        desk = as_(cast.dana).get(list_url(cast.northwind_bluebird)).context["desk"]

        assert ("CLOSED", "Closed", 1) in desk.statuses
        assert desk.assignees == [(str(cast.dana.pk), "Dana Tester", 2)]

    def test_of_an_organization_has_all_its_customers(self, cast, as_):
        submit(cast)
        submit(cast, connection=cast.contoso_fabrikam, by=cast.fay)

        page = as_(cast.maya).get("/organizations/northwind-agency/tickets/")

        assert [row.customer for row in page.context["rows"]] == ["Bluebird Clinic"]

    def test_of_revampd_has_what_was_escalated(self, cast, as_):
        escalated(cast)

        page = as_(cast.rhea).get("/organizations/revampd/tickets/", {"escalated": "yes"})

        assert [row.provider for row in page.context["rows"]] == ["Northwind Agency"]
        assert page.context["rows"][0].url.startswith(f"/connections/{cast.revampd_northwind.pk}/")

    def test_as_csv_has_the_numbers_of_the_side_that_asks(self, cast, as_):
        ticket = submit(cast)
        note(ticket, cast.dana)

        def lines(user):
            answer = as_(user).get(f"{list_url(cast.northwind_bluebird)}export/")
            return b"".join(answer.streaming_content).decode().splitlines()

        assert lines(cast.ben)[1].endswith(",1")
        assert lines(cast.dana)[1].endswith(",2")

    def test_costs_at_most_eight_queries(self, cast, as_):
        submit(cast)
        paths = {
            "ben": list_url(cast.northwind_bluebird),
            "dana": list_url(cast.northwind_bluebird),
            "maya": "/organizations/northwind-agency/tickets/",
        }
        few = {who: queries(as_(getattr(cast, who)), path) for who, path in paths.items()}
        for number in range(30):
            submit(cast, f"Number {number}")

        many = {who: queries(as_(getattr(cast, who)), path) for who, path in paths.items()}

        assert many == few
        assert max(many.values()) <= 8
