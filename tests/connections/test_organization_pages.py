"""Settings, profile, inviting a Sub-Org, and who looks after a connection."""

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.forms import SettingsForm
from connections.models import Invitation, Membership, Organization
from tests.billing.partners import take_tier

MARKUP = "<img src=x onerror=alert(1)>"
DETAILS = {
    "name": "Northwind",
    "legal_name": "Northwind Agency LLC",
    "address": "1 Harbour Road\nPortland",
    "billing_email": "bills@example.com",
    "tax_number": "US 12-3456789",
    "time_zone": "America/Los_Angeles",
}


def url(name, *args, slug="northwind-agency") -> str:
    return reverse(f"connections:{name}", args=[slug, *args])


def url_of_inviting(slug="northwind-agency") -> str:
    return reverse("invite-sub-org", args=[slug])


class TestSettings:
    def test_are_read_by_every_member(self, cast, as_):
        for name in ("maya", "noah", "dana", "vera"):
            assert as_(getattr(cast, name)).get(url("settings")).status_code == 200

    def test_offer_the_form_to_owners_alone(self, cast, as_):
        assert 'name="legal_name"' in as_(cast.maya).get(url("settings")).text
        assert 'name="legal_name"' not in as_(cast.noah).get(url("settings")).text

    def test_are_saved_and_their_history_says_what_changed(self, cast, as_):
        answer = as_(cast.maya).post(url("change-details"), DETAILS, follow=True)

        cast.northwind.refresh_from_db()
        assert {field: getattr(cast.northwind, field) for field in DETAILS} == DETAILS
        assert "Name: Northwind Agency → Northwind" in answer.text
        assert "Address: nothing → 1 Harbour Road Portland" in answer.text
        assert "Maya Tester" in answer.text

    @pytest.mark.parametrize(
        ("field", "typed", "sentence"),
        [
            ("name", "", "This field is required."),
            ("name", "   ", "This field is required."),
            ("name", "N" * 121, "at most 120 characters"),
            ("name", "North\0wind", "Null characters"),
            ("legal_name", "N" * 201, "at most 200 characters"),
            ("address", "A" * 501, "at most 500 characters"),
            ("billing_email", "bills", "Enter an e-mail address like"),
            ("tax_number", "1" * 41, "at most 40 characters"),
            ("time_zone", "Mars/Olympus", "Choose a time zone from the list."),
            ("time_zone", "", "This field is required."),
        ],
    )
    def test_say_beside_the_field_what_is_wrong_and_keep_the_rest(
        self, cast, as_, field, typed, sentence
    ):
        answer = as_(cast.maya).post(url("change-details"), DETAILS | {field: typed})

        assert answer.status_code == 422
        assert sentence in answer.text
        kept = "Northwind Agency LLC" if field != "legal_name" else "US 12-3456789"
        assert kept in answer.text
        cast.northwind.refresh_from_db()
        assert cast.northwind.legal_name == ""

    def test_show_markup_as_text(self, cast, as_):
        data = DETAILS | {"name": MARKUP, "address": MARKUP}
        as_(cast.maya).post(url("change-details"), data)

        for page in (url("settings"), url("members"), reverse("connections:profile")):
            assert MARKUP not in as_(cast.vera).get(page).text

    @pytest.mark.parametrize(("name", "status"), [("noah", 403), ("vera", 403), ("ben", 404)])
    def test_are_changed_by_owners_alone(self, cast, as_, name, status):
        answer = as_(getattr(cast, name)).post(url("change-details"), DETAILS)

        assert answer.status_code == status
        cast.northwind.refresh_from_db()
        assert cast.northwind.name == "Northwind Agency"

    def test_keep_a_time_zone_that_the_list_does_not_have(self, cast):
        cast.northwind.time_zone = "US/Eastern"

        form = SettingsForm.of(cast.northwind, DETAILS | {"time_zone": "US/Eastern"})

        assert form.is_valid(), form.errors


class TestProfile:
    def test_changes_name_and_time_zone(self, cast, as_):
        data = {"name": "Maya Rivera", "time_zone": "Asia/Tokyo"}

        answer = as_(cast.maya).post(reverse("connections:profile"), data, follow=True)

        assert "Your profile is saved." in answer.text
        cast.maya.refresh_from_db()
        assert (cast.maya.name, cast.maya.time_zone) == ("Maya Rivera", "Asia/Tokyo")

    @pytest.mark.parametrize(
        "bad", [{"name": ""}, {"name": "M" * 121}, {"time_zone": "Nowhere"}, {"time_zone": ""}]
    )
    def test_says_beside_the_field_what_is_wrong(self, cast, as_, bad):
        data = {"name": "Maya Rivera", "time_zone": "Asia/Tokyo"} | bad

        answer = as_(cast.maya).post(reverse("connections:profile"), data)

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        cast.maya.refresh_from_db()
        assert cast.maya.name == "Maya Tester"

    def test_leads_to_address_password_second_factor_passkeys_and_sessions(self, cast, as_):
        page = as_(cast.zed).get(reverse("connections:profile")).text

        for name in (
            "account_email",
            "account_change_password",
            "mfa_index",
            "mfa_list_webauthn",
            "usersessions_list",
        ):
            assert reverse(name) in page


class TestInviteSubOrg:
    @pytest.fixture(autouse=True)
    def _tier(self, cast):
        """Northwind has one, without limits."""
        take_tier(cast, None)

    def data(self, **changes):
        return {"name": "Acme", "email": "ada@example.com"} | changes

    def test_invites_and_says_so(self, cast, as_):
        answer = as_(cast.maya).post(url_of_inviting(), self.data(), follow=True)

        assert "Acme is invited. The mail goes to ada@example.com." in answer.text
        assert Organization.objects.get(name="Acme").kind == Organization.Kind.SUB_ORG

    def test_takes_the_owners_from_the_members_of_the_partner(self, cast, as_):
        dana = Membership.objects.get(user=cast.dana)

        as_(cast.maya).post(url_of_inviting(), self.data(support_owner=dana.pk))

        invitation = Invitation.objects.get(organization__name="Acme")
        assert invitation.connection.support_owner == dana

    @pytest.mark.parametrize("field", ["sales_owner", "support_owner"])
    @pytest.mark.parametrize("typed", ["theirs", "0", "x", "-1", str(10**30), MARKUP])
    def test_refuses_who_is_no_member_of_the_partner(self, cast, as_, field, typed):
        if typed == "theirs":
            typed = str(Membership.objects.get(user=cast.oscar).pk)

        answer = as_(cast.maya).post(url_of_inviting(), self.data(**{field: typed}))

        assert answer.status_code == 422
        assert "Choose a member of your organization." in answer.text
        assert 'value="ada@example.com"' in answer.text
        assert MARKUP not in answer.text
        assert not Organization.objects.filter(name="Acme").exists()

    @pytest.mark.parametrize(
        "bad", [{"name": ""}, {"name": "A" * 121}, {"email": ""}, {"email": "ada"}]
    )
    def test_says_beside_the_field_what_is_wrong(self, cast, as_, bad):
        answer = as_(cast.maya).post(url_of_inviting(), self.data(**bad))

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert not Invitation.objects.pending().exists()

    def test_refuses_the_same_again(self, cast, as_):
        browser = as_(cast.maya)
        browser.post(url_of_inviting(), self.data())

        answer = browser.post(url_of_inviting(), self.data())

        assert answer.status_code == 422
        assert "Acme is invited already" in answer.text

    def test_lists_who_has_not_answered_with_what_can_be_done(self, cast, as_):
        browser = as_(cast.maya)
        browser.post(url_of_inviting(), self.data())
        sent = Invitation.objects.get(organization__name="Acme")

        assert "ada@example.com" in browser.get(url_of_inviting()).text
        answer = browser.post(url("withdraw-invitation", sent.pk), follow=True)

        assert answer.redirect_chain == [(url_of_inviting(), 303)]
        assert "Withdrawn" in answer.text

    @pytest.mark.parametrize(
        ("name", "slug", "status"),
        [
            ("noah", "northwind-agency", 403),
            ("ben", "bluebird-clinic", 404),
            ("rhea", "revampd", 404),
            ("oscar", "northwind-agency", 404),
        ],
    )
    def test_is_for_owners_of_partners(self, cast, as_, name, slug, status):
        answer = as_(getattr(cast, name)).post(url_of_inviting(slug), self.data())

        assert answer.status_code == status

    def test_asks_the_database_as_often_for_many_as_for_few(
        self, cast, as_, django_assert_max_num_queries
    ):
        counts = []
        for wanted in (2, 60):
            for number in range(Organization.objects.count(), wanted + 5):
                Invitation.send_to_customer(
                    provider=cast.northwind,
                    name=f"Acme {number}",
                    email=f"a{number}@example.com",
                    by=cast.maya,
                    at=timezone.now(),
                )
            browser = as_(cast.maya)
            browser.get(url_of_inviting())  # fills the caches
            with django_assert_max_num_queries(10) as asked:
                browser.get(url_of_inviting())
            counts.append(len(asked))

        assert counts[0] == counts[1]


class TestOwners:
    def path(self, connection) -> str:
        return reverse("connections:owners", args=[connection.pk])

    def test_are_named_and_the_overview_shows_them(self, cast, as_):
        dana = Membership.objects.get(user=cast.dana)
        path = self.path(cast.northwind_bluebird)

        answer = as_(cast.maya).post(path, {"support_owner": dana.pk})

        overview = reverse("overview", args=[cast.northwind_bluebird.pk])
        assert (answer.status_code, answer["Location"]) == (303, overview)
        assert "Dana Tester" in as_(cast.vera).get(overview).text

    def test_answer_htmx_with_the_card_alone(self, cast, as_):
        answer = as_(cast.maya).post(
            self.path(cast.northwind_bluebird), {}, headers={"HX-Request": "true"}
        )

        assert answer.text.lstrip().startswith('<section class="card" id="owners"')

    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
    def test_are_members_of_the_provider(self, cast, as_, headers):
        for stranger in (cast.ben, cast.oscar):
            data = {"sales_owner": Membership.objects.get(user=stranger).pk}

            answer = as_(cast.maya).post(self.path(cast.northwind_bluebird), data, headers=headers)

            assert answer.status_code == 422
            assert "Choose a member of your organization." in answer.text

    @pytest.mark.parametrize(
        ("name", "status"), [("noah", 403), ("vera", 403), ("ben", 403), ("oscar", 404)]
    )
    def test_are_named_by_owners_of_the_provider(self, cast, as_, name, status):
        answer = as_(getattr(cast, name)).post(self.path(cast.northwind_bluebird), {})

        assert answer.status_code == status
