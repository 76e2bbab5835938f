"""The members page and what owners do on it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Invitation, Membership, User

MARKUP = "<script>alert(1)</script>"


def url(name, *args, slug="northwind-agency") -> str:
    # Sending again may take a seat of the Partner's tier, so it is no page of connections alone.
    space = "" if name == "resend-invitation" else "connections:"
    return reverse(f"{space}{name}", args=[slug, *args])


def membership(user, organization) -> Membership:
    return Membership.objects.get(user=user, organization=organization)


def invite(cast, email="zed@example.com", at=None) -> Invitation:
    return Invitation.send(
        organization=cast.northwind,
        email=email,
        role="VIEWER",
        by=cast.maya,
        at=at or timezone.now(),
    )


class TestMembersPage:
    def test_shows_everybody_with_role(self, cast, as_):
        answer = as_(cast.vera).get(url("members"))

        assert answer.status_code == 200
        for text in ("Maya Tester", "noah@example.com", "Support", "Viewer"):
            assert text in answer.text
        assert "Ben Tester" not in answer.text

    @pytest.mark.parametrize("name", ["noah", "dana", "vera"])
    def test_offers_nothing_to_who_is_no_owner(self, cast, as_, name):
        invite(cast)

        for show in ("", "?show=invitations"):
            page = as_(getattr(cast, name)).get(url("members") + show).text

            assert "Invite a colleague" not in page
            assert "/resending/" not in page
            assert "/role/" not in page

    def test_offers_owners_the_form_with_every_role_explained(self, cast, as_):
        page = as_(cast.maya).get(url("members")).text

        assert "Invite a colleague" in page
        assert "Requests, decisions, plans, invoices and payments" in page

    def test_finds_by_name_or_address_in_the_database(self, cast, as_):
        page = as_(cast.maya).get(url("members") + "?q=noah@").text

        assert "Noah Tester" in page
        assert "Dana Tester" not in page

    @pytest.mark.parametrize("query", ["q=%00", "q=%25", "page=0", "page=x", "page=99", "sort=;--"])
    def test_takes_any_address(self, cast, as_, query):
        assert as_(cast.maya).get(f"{url('members')}?{query}").status_code == 200

    def test_lists_open_invitations_with_their_end(self, cast, as_):
        invite(cast)
        invite(cast, email="old@example.com", at=timezone.now() - timedelta(days=15))

        page = as_(cast.vera).get(url("members") + "?show=invitations").text

        assert "zed@example.com" in page
        assert "until" in page
        assert "Expired" in page

    def test_shows_nothing_of_the_first_owners_of_its_customers(self, cast, as_):
        Invitation.send_to_customer(
            provider=cast.northwind,
            name="Acme",
            email="acme@example.com",
            by=cast.maya,
            at=timezone.now(),
        )

        page = as_(cast.maya).get(url("members") + "?show=invitations").text

        assert "acme@example.com" not in page

    def test_escapes_markup_in_names(self, cast, as_):
        User.objects.filter(pk=cast.noah.pk).update(name=MARKUP)

        page = as_(cast.maya).get(url("members")).text

        assert MARKUP not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page

    @pytest.mark.parametrize("show", ["", "?show=invitations"])
    def test_asks_the_database_as_often_for_1000_as_for_10(
        self, cast, as_, show, django_assert_max_num_queries
    ):
        browser = as_(cast.maya)
        counts = []
        for wanted in (10, 1000):
            fill(cast, wanted)
            browser.get(url("members"))  # fills the caches
            with django_assert_max_num_queries(10) as asked:
                answer = browser.get(url("members") + show)
            assert answer.text.count("<tr>") <= 51
            counts.append(len(asked))

        assert counts[0] == counts[1]


def fill(cast, wanted: int) -> None:
    """Northwind has at least `wanted` members and as many open invitations."""
    now = timezone.now()
    have = cast.northwind.memberships.count()
    numbers = range(have, wanted)
    people = User.objects.bulk_create(
        User(email=f"{n}@example.org", name=f"Person {n}") for n in numbers
    )
    Membership.objects.bulk_create(
        Membership(organization=cast.northwind, user=user, role="VIEWER") for user in people
    )
    Invitation.objects.bulk_create(
        Invitation(
            organization=cast.northwind,
            email=f"i{n}@example.org",
            role="VIEWER",
            invited_by=cast.maya,
            expires_at=now + timedelta(days=1),
        )
        for n in numbers
    )


class TestInviteMember:
    def test_invites_and_shows_who_is_invited(self, cast, as_):
        data = {"email": "new@example.com", "role": "BILLING"}

        answer = as_(cast.maya).post(url("invite-member"), data, follow=True)

        assert answer.redirect_chain == [(url("members") + "?show=invitations", 303)]
        assert "An invitation goes to new@example.com." in answer.text
        assert cast.northwind.invitations.pending().get().role == "BILLING"

    def test_answers_htmx_with_the_team_alone(self, cast, as_):
        data = {"email": "new@example.com", "role": "BILLING"}

        answer = as_(cast.maya).post(url("invite-member"), data, headers={"HX-Request": "true"})

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<div id="team"')
        assert "new@example.com" in answer.text
        assert "<html" not in answer.text

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({"email": "", "role": "VIEWER"}, "This field is required."),
            ({"email": "zed", "role": "VIEWER"}, "Enter an e-mail address like"),
            ({"email": "zed\0@example.com", "role": "VIEWER"}, "Null characters"),
            ({"email": "z" * 250 + "@example.com", "role": "VIEWER"}, "at most 254 characters"),
            ({"email": "new@example.com", "role": ""}, "Choose a role."),
            ({"email": "new@example.com", "role": "KING"}, "There is no such role."),
            ({"email": "noah@example.com", "role": "VIEWER"}, "is a member of Northwind Agency"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self, cast, as_, data, sentence, headers
    ):
        answer = as_(cast.maya).post(url("invite-member"), data, headers=headers)

        assert answer.status_code == 422
        assert sentence in answer.text
        assert f'value="{data["email"]}"' in answer.text or not data["email"].isprintable()
        assert not cast.northwind.invitations.pending().exists()

    def test_reflects_no_markup(self, cast, as_):
        data = {"email": f'"{MARKUP}"@example.com', "role": MARKUP}

        answer = as_(cast.maya).post(url("invite-member"), data)

        assert MARKUP not in answer.text

    @pytest.mark.parametrize(("name", "status"), [("noah", 403), ("vera", 403), ("ben", 404)])
    def test_is_for_owners(self, cast, as_, name, status):
        data = {"email": "new@example.com", "role": "OWNER"}

        answer = as_(getattr(cast, name)).post(url("invite-member"), data)

        assert answer.status_code == status
        assert not cast.northwind.invitations.pending().exists()


class TestWithdrawInvitation:
    def test_closes_it(self, cast, as_):
        sent = invite(cast)

        answer = as_(cast.maya).post(url("withdraw-invitation", sent.pk), follow=True)

        sent.refresh_from_db()
        assert sent.state == Invitation.State.WITHDRAWN
        assert "is withdrawn" in answer.text

    def test_says_why_not_when_it_was_used_meanwhile(self, cast, as_):
        sent = invite(cast)
        sent.accept(by=cast.zed, at=timezone.now())

        answer = as_(cast.maya).post(url("withdraw-invitation", sent.pk))

        assert answer.status_code == 409
        assert "This invitation was accepted already." in answer.text

    @pytest.mark.parametrize("name", ["withdraw-invitation", "resend-invitation"])
    def test_knows_no_invitation_of_others(self, cast, as_, name):
        sent = invite(cast)

        theirs = as_(cast.oscar).post(url(name, sent.pk, slug=cast.contoso.slug))
        unknown = as_(cast.maya).post(url(name, "00000000-0000-4000-8000-000000000000"))

        assert (theirs.status_code, unknown.status_code) == (404, 404)
        sent.refresh_from_db()
        assert sent.state == Invitation.State.PENDING


class TestResendInvitation:
    def test_goes_to_the_same_address_at_one_press(self, cast, as_):
        old = invite(cast)

        answer = as_(cast.maya).post(url("resend-invitation", old.pk), follow=True)

        assert "A new link goes to zed@example.com." in answer.text
        assert cast.northwind.invitations.pending().get() != old

    def test_goes_to_another_address_through_the_form(self, cast, as_):
        old = invite(cast, email="zde@example.com")
        browser = as_(cast.maya)
        assert 'value="zde@example.com"' in browser.get(url("resend-invitation", old.pk)).text

        browser.post(url("resend-invitation", old.pk), {"email": "zed@example.com"})

        assert cast.northwind.invitations.pending().get().email == "zed@example.com"

    @pytest.mark.parametrize("email", ["", "nonsense", "noah@example.com"])
    def test_says_beside_the_field_what_is_wrong(self, cast, as_, email):
        old = invite(cast)

        answer = as_(cast.maya).post(url("resend-invitation", old.pk), {"email": email})

        assert answer.status_code == 422
        assert f'value="{email}"' in answer.text or not email
        assert cast.northwind.invitations.pending().get() == old


class TestChangeRole:
    def test_shows_the_member_and_the_roles(self, cast, as_):
        vera = membership(cast.vera, cast.northwind)

        page = as_(cast.maya).get(url("change-role", vera.pk)).text

        assert "Vera Tester" in page
        assert "Remove from Northwind Agency" in page

    def test_gives_the_role(self, cast, as_):
        vera = membership(cast.vera, cast.northwind)

        answer = as_(cast.maya).post(url("change-role", vera.pk), {"role": "SUPPORT"}, follow=True)

        assert "Vera Tester is Support now." in answer.text
        vera.refresh_from_db()
        assert vera.role == "SUPPORT"

    @pytest.mark.parametrize("role", ["", "KING", MARKUP])
    def test_refuses_a_role_that_does_not_exist(self, cast, as_, role):
        vera = membership(cast.vera, cast.northwind)

        answer = as_(cast.maya).post(url("change-role", vera.pk), {"role": role})

        assert answer.status_code == 422
        assert MARKUP not in answer.text
        vera.refresh_from_db()
        assert vera.role == "VIEWER"

    def test_answers_with_the_sentence_for_the_last_owner(self, cast, as_):
        maya = membership(cast.maya, cast.northwind)

        answer = as_(cast.maya).post(url("change-role", maya.pk), {"role": "VIEWER"})

        assert answer.status_code == 409
        assert "Maya Tester is the last owner of Northwind Agency." in answer.text

    @pytest.mark.parametrize("name", ["change-role", "remove-member"])
    def test_knows_no_member_of_others(self, cast, as_, name):
        ben = membership(cast.ben, cast.bluebird)
        browser = as_(cast.maya)

        for pk in (ben.pk, 0, 10**9, 10**30):
            assert browser.post(url(name, pk), {"role": "VIEWER"}).status_code == 404

        ben.refresh_from_db()
        assert ben.role == "OWNER"


class TestRemoveMember:
    def test_ends_the_membership(self, cast, as_):
        vera = membership(cast.vera, cast.northwind)

        answer = as_(cast.maya).post(url("remove-member", vera.pk), follow=True)

        assert "Vera Tester no longer belongs to Northwind Agency." in answer.text
        assert as_(cast.vera).get(url("members")).status_code == 404

    def test_lets_an_owner_leave_if_another_stays(self, cast, as_):
        membership(cast.noah, cast.northwind).change_role("OWNER", by=cast.maya)
        maya = membership(cast.maya, cast.northwind)

        answer = as_(cast.maya).post(url("remove-member", maya.pk))

        assert (answer.status_code, answer["Location"]) == (303, reverse("home"))

    def test_answers_with_the_sentence_for_the_last_owner(self, cast, as_):
        maya = membership(cast.maya, cast.northwind)

        answer = as_(cast.maya).post(url("remove-member", maya.pk))

        assert answer.status_code == 409
        assert "Make somebody else an owner first." in answer.text

    def test_never_happens_by_following_a_link(self, cast, as_):
        vera = membership(cast.vera, cast.northwind)

        assert as_(cast.maya).get(url("remove-member", vera.pk)).status_code == 405
