"""In production the admin opens only to staff who have set up a second factor."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from tests.staff.people import staff

SET_UP = "/accounts/2fa/"


@pytest.fixture
def required(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.mark.usefixtures("required")
class TestStaff:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_without_one_are_led_to_where_it_is_set_up(self, cast, as_, method):
        browser = as_(staff("Administrator"))

        for path in ("/admin/", reverse("admin:create-partner"), reverse("find")):
            assert getattr(browser, method)(path)["Location"] == SET_UP
        assert "Staff need a second factor." in browser.get("/admin/", follow=True).text

    @pytest.mark.parametrize("kind", ["totp", "webauthn"])
    def test_with_one_come_in(self, cast, as_, kind):
        user = staff("Administrator")
        Authenticator.objects.create(user=user, type=kind, data={})

        assert as_(user).get("/admin/").status_code == 200

    def test_with_recovery_codes_alone_do_not(self, cast, as_):
        user = staff("Administrator")
        Authenticator.objects.create(user=user, type="recovery_codes", data={})

        assert as_(user).get("/admin/").status_code == 302

    def test_reach_their_own_pages_and_others_are_asked_for_nothing(self, cast, as_):
        assert as_(cast.rhea).get("/").status_code in (200, 302)
        assert as_(cast.ben).get("/connections/").status_code == 200
        assert as_(cast.ben).get("/admin/")["Location"] != SET_UP


def test_is_asked_of_nobody_where_it_is_not_required(cast, as_):
    assert as_(staff("Support")).get("/admin/").status_code == 200
