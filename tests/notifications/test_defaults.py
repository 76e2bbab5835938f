"""What an organization suggests to its members, saved through its page."""

import pytest
from django.utils import timezone

from connections.kinds import Category
from connections.models import Event
from notifications.draining import drain_events
from notifications.models import Delivery, OrganizationDefault
from tests.notifications.test_centre import MAIL, choose, of, tell

SUPPORT = (Category.SUPPORT, "MAIL")


@pytest.fixture(autouse=True)
def _nothing_waits(cast):
    drain_events()
    Delivery.objects.update(state="SENT", sent_at=timezone.now())


class TestSuggestDefaults:
    CHOSEN = {"billing_management-mail": "OFF", "support-mail": "DAILY"}

    def path(self, organization):
        return f"/organizations/{organization.slug}/notifications/"

    def test_are_saved_and_shown_again(self, cast, as_):
        browser, path = as_(cast.ben), self.path(cast.bluebird)
        assert browser.post(path, self.CHOSEN)["Location"] == path

        rows = OrganizationDefault.objects.filter(organization=cast.bluebird)
        assert {row.key: row.manner for row in rows} == {MAIL: "OFF", SUPPORT: "DAILY"}
        form = browser.get(path).context["form"]
        assert {name: form[name].value() for name in self.CHOSEN} == self.CHOSEN
        told = Event.objects.filter(code="defaults.changed").latest("pk")
        assert (told.actor, told.organization) == (cast.ben, cast.bluebird)

    def test_reach_members_who_chose_nothing_and_no_others(self, cast, as_):
        choose(cast.bella, mail="AT_ONCE")
        as_(cast.ben).post(self.path(cast.bluebird), self.CHOSEN)
        tell(cast)

        # Dora is a member of Northwind as well, but hears of this as one of Bluebird.
        assert (of(cast.ben), of(cast.dora), of(cast.bella)) == ([], [], ["QUEUED"])
        page = as_(cast.ben).get("/notifications/preferences/").content.decode()
        assert "As suggested: off" in page

    def test_are_taken_back_by_choosing_the_usual(self, cast, as_):
        browser, path = as_(cast.ben), self.path(cast.bluebird)
        browser.post(path, self.CHOSEN)
        browser.post(path, dict.fromkeys(self.CHOSEN, ""))
        tell(cast)

        assert not OrganizationDefault.objects.exists()
        assert of(cast.ben) == ["QUEUED"]

    @pytest.mark.parametrize(
        ("who", "status"), [("bella", 403), ("sam", 403), ("theo", 403), ("maya", 404)]
    )
    def test_are_for_owners_of_the_organization_alone(self, cast, as_, who, status):
        browser, path = as_(getattr(cast, who)), self.path(cast.bluebird)

        assert browser.get(path).status_code == status
        assert browser.post(path, self.CHOSEN).status_code == status
        assert not OrganizationDefault.objects.exists()

    def test_keep_all_that_was_chosen_beside_what_is_not_offered(self, cast, as_):
        wrong = self.CHOSEN | {"support-mail": "NEVER"}
        answer = as_(cast.ben).post(self.path(cast.bluebird), wrong)

        form = answer.context["form"]
        assert answer.status_code == 422
        assert form["support-mail"].errors == ["Choose one of these."]
        assert form["billing_management-mail"].value() == "OFF"
        assert not OrganizationDefault.objects.exists()
