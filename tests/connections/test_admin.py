"""What staff see and do with people, organizations and invitations."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from connections.models import Event, Invitation, Membership, Organization, Outbox, User

MODELS = ("user", "organization", "membership", "invitation", "connection", "event", "outbox")


@pytest.fixture
def staff(cast, as_):
    cast.rhea.is_superuser = True
    cast.rhea.save()
    return as_(cast.rhea)


def changelist(model: str) -> str:
    return reverse(f"admin:connections_{model}_changelist")


def act(staff, model: str, action: str, *rows, follow=True):
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return staff.post(changelist(model), data, follow=follow)


def invite(cast) -> Invitation:
    return Invitation.send(
        organization=cast.northwind,
        email="new@example.com",
        role="VIEWER",
        by=cast.maya,
        at=timezone.now(),
    )


class TestLists:
    @pytest.mark.parametrize("model", MODELS)
    def test_show_search_and_open_every_kind_of_row(self, cast, staff, model):
        invite(cast)
        answer = staff.get(changelist(model))
        assert answer.status_code == 200
        assert staff.get(changelist(model) + "?q=north").status_code == 200

        row = answer.context["cl"].result_list[0]
        page = staff.get(reverse(f"admin:connections_{model}_change", args=[row.pk]))
        assert page.status_code == 200

    @pytest.mark.parametrize("model", MODELS)
    def test_never_add_or_delete_by_hand(self, cast, staff, model):
        invite(cast)
        row = staff.get(changelist(model)).context["cl"].result_list[0]

        assert staff.get(reverse(f"admin:connections_{model}_add")).status_code == 403
        delete = reverse(f"admin:connections_{model}_delete", args=[row.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 403

    def test_ask_the_database_for_rows_and_not_for_each_row(
        self, cast, staff, django_assert_max_num_queries
    ):
        for model in MODELS:
            with django_assert_max_num_queries(14):
                staff.get(changelist(model))

    def test_find_events_by_kind(self, cast, staff):
        page = staff.get(changelist("event") + "?code=member.joined").text

        assert "added Noah Tester as Billing" in page
        assert "founded the organization" not in page


class TestSignIn:
    def test_of_the_admin_is_that_of_everybody_with_its_limits(self, cast, client):
        answer = client.get("/admin/")
        assert answer.status_code == 302

        login = client.get(answer["Location"])

        assert login["Location"].startswith("/accounts/login/?next=%2Fadmin%2F")
        assert client.post("/admin/login/", {"username": "rhea@example.com"}).status_code == 302

    def test_is_no_way_in_for_customers(self, cast, as_):
        assert as_(cast.maya).get("/admin/").status_code in (302, 403)
        assert as_(cast.maya).get("/admin/", follow=True).status_code == 403

    def test_shows_nothing_to_staff_without_the_right_to_it(self, cast, as_):
        assert as_(cast.rhea).get(changelist("user")).status_code == 403


class TestCreatePartner:
    def test_founds_it_and_invites_its_first_owner(self, cast, staff):
        assert "Create a Partner" in staff.get(changelist("organization")).text

        data = {"name": "Tailspin", "email": "tess@example.com"}
        answer = staff.post(reverse("admin:create-partner"), data, follow=True)

        assert "Tailspin is invited, at tess@example.com." in answer.text
        tailspin = Organization.objects.get(name="Tailspin")
        assert tailspin.is_partner
        assert [c.provider for c in tailspin.bought.all()] == [cast.revampd]
        assert tailspin.invitations.pending().get().invited_by == cast.rhea

    def test_says_beside_the_field_what_is_wrong(self, cast, staff):
        for data in ({"name": "", "email": "t@example.com"}, {"name": "T", "email": "no"}):
            answer = staff.post(reverse("admin:create-partner"), data)

            assert answer.status_code == 422
            assert "errorlist" in answer.text

    def test_refuses_the_same_again(self, cast, staff):
        data = {"name": "Tailspin", "email": "tess@example.com"}
        staff.post(reverse("admin:create-partner"), data)

        answer = staff.post(reverse("admin:create-partner"), data)

        assert answer.status_code == 422
        assert "Tailspin is invited already" in answer.text

    def test_is_closed_to_staff_without_the_right(self, cast, as_):
        data = {"name": "Tailspin", "email": "tess@example.com"}

        as_(cast.rhea).post(reverse("admin:create-partner"), data)

        assert not Organization.objects.filter(name="Tailspin").exists()


class TestOrganization:
    def test_is_edited_through_the_verb_that_records_it(self, cast, staff):
        url = reverse("admin:connections_organization_change", args=[cast.northwind.pk])
        data = {
            "name": "Northwind",
            "time_zone": "UTC",
        }

        assert staff.post(url, data).status_code == 302

        event = Event.objects.about(cast.northwind).newest_first()[0]
        assert (event.code, event.actor) == ("organization.changed", cast.rhea)
        assert event.facts["before"] == {"name": "Northwind Agency"}
        cast.northwind.refresh_from_db()
        assert cast.northwind.name == "Northwind"

    def test_shows_its_members_and_leads_to_them(self, cast, staff):
        url = reverse("admin:connections_organization_change", args=[cast.northwind.pk])
        own = cast.northwind.memberships.get(user=cast.maya)
        member = reverse("admin:connections_membership_change", args=[own.pk])

        assert f'<a href="{member}">Maya Tester</a>, Owner' in staff.get(url).text


class TestActions:
    def test_withdraw_and_resend_an_invitation(self, cast, staff):
        sent = invite(cast)

        act(staff, "invitation", "resend", sent)
        again = cast.northwind.invitations.pending().get()
        act(staff, "invitation", "withdraw", again)

        assert again != sent
        assert not cast.northwind.invitations.pending().exists()
        assert Event.objects.filter(code="invitation.withdrawn", actor=cast.rhea).count() == 2

    def test_say_why_one_row_refuses_and_do_the_others(self, cast, staff):
        sent = invite(cast)
        used = cast.northwind.invitations.exclude(pk=sent.pk).first()

        answer = act(staff, "invitation", "withdraw", sent, used)

        assert "This invitation was accepted already." in answer.text
        assert "1 withdrawn." in answer.text

    def test_give_an_organization_another_owner_and_keep_the_last(self, cast, staff):
        vera = Membership.objects.get(user=cast.vera)
        maya = Membership.objects.get(user=cast.maya)
        assert "is the last owner" in act(staff, "membership", "remove", maya).text

        act(staff, "membership", "make_owner", vera)
        act(staff, "membership", "remove", maya)

        assert [m.user for m in cast.northwind.memberships.owners()] == [cast.vera]

    def test_release_what_could_not_be_told(self, cast, staff):
        waiting = Outbox.objects.first()
        Outbox.objects.filter(pk=waiting.pk).update(problem="The template is broken.")

        act(staff, "outbox", "release", waiting)

        waiting.refresh_from_db()
        assert waiting.problem == ""


class TestUser:
    def test_is_closed_but_its_address_stays(self, cast, staff):
        url = reverse("admin:connections_user_change", args=[cast.maya.pk])
        data = {"email": "other@example.com", "name": "Maya", "time_zone": "UTC"}

        staff.post(url, data)

        cast.maya.refresh_from_db()
        assert (cast.maya.email, cast.maya.is_active) == ("maya@example.com", False)

    def test_becomes_no_superuser_by_the_hand_of_ordinary_staff(self, cast, as_):
        allowed = Permission.objects.filter(codename__in=["view_user", "change_user"])
        cast.rhea.user_permissions.set(allowed)
        data = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}

        for person, status in ((cast.maya, 302), (cast.rhea, 403)):
            url = reverse("admin:connections_user_change", args=[person.pk])
            assert as_(cast.rhea).post(url, data).status_code == status
            assert not User.objects.get(pk=person.pk).is_superuser

        assert not User.objects.get(pk=cast.maya.pk).is_staff
