"""Help: a page for each entry of the menus, reached from where the entry leads."""

from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from connections.access import Side
from connections.models import Organization
from revampd.navigation import CONNECTION, ORGANIZATION, PERSONAL
from revampd.views.manual import TOPICS, text, title

MENUS = (PERSONAL, *ORGANIZATION.values(), *CONNECTION.values())
ENTRIES = {entry.label: entry for menu in MENUS for entry in menu}


class TestPages:
    @pytest.mark.parametrize("label", sorted(ENTRIES))
    def test_are_there_for_each_entry(self, label):
        topic = ENTRIES[label].topic

        assert title(topic) == label
        assert len(text(topic)) > 200

    def test_are_of_entries_that_are_there(self):
        assert set(TOPICS) == {entry.topic for entry in ENTRIES.values()}

    def test_are_all_in_their_list(self):
        listed = Path(settings.ROOT / "docs/users/README.md").read_text()

        assert [topic for topic in TOPICS if f"({topic}.md)" not in listed] == []

    def test_are_text_and_never_html(self):
        assert "<script" not in text("plan")
        assert all("<h1" not in text(topic) for topic in TOPICS)


# Who opens the pages of each menu, and what stands in their addresses.
READERS = [
    *((PERSONAL, "ben", ()), (ORGANIZATION["PLATFORM"], "rhea", ("revampd",))),
    *((ORGANIZATION["PARTNER"], "maya", ("northwind",)),),
    *((ORGANIZATION["SUB_ORG"], "ben", ("bluebird",)),),
    *((CONNECTION["PLATFORM", "PARTNER", Side.CUSTOMER], "maya", ("revampd_northwind",)),),
    *((CONNECTION["PLATFORM", "PARTNER", Side.PROVIDER], "rhea", ("revampd_northwind",)),),
    *((CONNECTION["PLATFORM", "SUB_ORG", Side.CUSTOMER], "ben", ("revampd_bluebird",)),),
    *((CONNECTION["PLATFORM", "SUB_ORG", Side.PROVIDER], "rhea", ("revampd_bluebird",)),),
    *((CONNECTION["PARTNER", "SUB_ORG", Side.CUSTOMER], "ben", ("northwind_bluebird",)),),
    *((CONNECTION["PARTNER", "SUB_ORG", Side.PROVIDER], "maya", ("northwind_bluebird",)),),
]


class TestLink:
    def test_of_every_entry_leads_to_its_page_which_is_there(self, cast, as_):
        assert sorted(map(id, MENUS)) == sorted(id(menu) for menu, *_ in READERS)
        for menu, name, about in READERS:
            browser = as_(getattr(cast, name))
            rows = [getattr(cast, one) for one in about]
            own = [row.slug if isinstance(row, Organization) else row.pk for row in rows]
            for entry in menu:
                page = browser.get(reverse(entry.route, args=own))
                link = reverse("help", args=[entry.topic])
                assert f'href="{link}"' in page.text, (name, entry)
                assert browser.get(link).status_code == 200

    def test_leads_to_what_the_page_is_about(self, cast, as_):
        own = f"/connections/{cast.northwind_bluebird.pk}/"
        places = {
            f"{own}requests/": "requests",
            f"{own}wallet/": "wallet",
            f"{own}tickets/new/": "submit-ticket",
            "/notifications/": "notifications",
            "/organizations/bluebird-clinic/members/": "members",
        }

        for place, topic in places.items():
            assert f'href="/help/{topic}/"' in as_(cast.ben).get(place).text, place

    def test_opens_the_page(self, cast, as_):
        browser = as_(cast.ben)

        assert "oldest credit first" in browser.get("/help/wallet/").text
        assert "Submit Ticket" in browser.get("/help/").text
        assert browser.get("/help/nothing/").status_code == 404
