"""Help: a page for each entry of the menus, reached from where the entry leads."""

from pathlib import Path

import pytest
from django.conf import settings

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


class TestLink:
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
