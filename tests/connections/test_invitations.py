"""Invitations: sending, accepting, withdrawing, sending again."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.models import Connection, Event, Invitation, Membership, Organization
from connections.models.invitations import (
    OPEN_FOR,
    InvitationClosed,
    InvitationForSomebodyElse,
)
from connections.tokens import invitation_id, invitation_token
from revampd.kit.errors import Invalid
from tests.cast import Cast

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


def invite(cast: Cast, email="zed@example.com", role="SUPPORT", at=NOW) -> Invitation:
    return Invitation.send(organization=cast.northwind, email=email, role=role, by=cast.maya, at=at)


def invite_sub_org(cast: Cast, name="Acme", email="zed@example.com", **details) -> Invitation:
    return Invitation.send_to_customer(
        provider=cast.northwind, name=name, email=email, by=cast.maya, at=NOW, **details
    )


def codes(subject) -> list[str]:
    return list(Event.objects.about(subject).order_by("id").values_list("code", flat=True))


class TestSend:
    def test_tells_the_mail_who_invites_to_what_as_what_until_when(self, cast):
        invitation = invite(cast)

        event = Event.objects.about(invitation).get()
        assert event.code == "invitation.sent"
        assert event.facts == {
            "email": "zed@example.com",
            "role": "Support",
            "organization_name": "Northwind Agency",
            "inviter": "Maya Tester, Northwind Agency",
            "expires": {"instant": (NOW + OPEN_FOR).isoformat()},
        }
        assert hasattr(event, "outbox")

    def test_keeps_the_link_out_of_the_record(self, cast):
        invitation = invite(cast)

        token = invitation_token(invitation.pk)
        assert token not in str(Event.objects.about(invitation).get().facts)

    def test_writes_the_address_small(self, cast):
        assert invite(cast, email=" Zed@Example.COM ").email == "zed@example.com"

    def test_withdraws_an_open_one_to_the_same_address(self, cast):
        first = invite(cast)

        invite(cast, email="ZED@example.com")

        first.refresh_from_db()
        assert first.state == Invitation.State.WITHDRAWN

    @pytest.mark.parametrize("email", ["", "zed", "zed@", "a b@example.com", "zed@example"])
    def test_refuses_what_is_no_address(self, cast, email):
        with pytest.raises(Invalid) as refusal:
            invite(cast, email=email)

        assert refusal.value.field == "email"

    def test_refuses_who_is_a_member_already(self, cast):
        with pytest.raises(Invalid, match="is a member of Northwind Agency already"):
            invite(cast, email="NOAH@example.com")


class TestSendToCustomer:
    def test_founds_the_sub_org_and_connects_it_twice(self, cast):
        invitation = invite_sub_org(cast)

        acme = invitation.organization
        assert (acme.kind, acme.state) == (Organization.Kind.SUB_ORG, Organization.State.INVITED)
        assert {c.provider.name for c in acme.bought.all()} == {"Revampd", "Northwind Agency"}
        assert set(acme.bought.values_list("state", flat=True)) == {Connection.State.INVITED}
        assert invitation.role == "OWNER"

    def test_names_its_owners_at_the_partner(self, cast):
        dana = Membership.objects.get(user=cast.dana)

        invitation = invite_sub_org(cast, owners={"sales_owner": None, "support_owner": dana})

        assert invitation.connection.support_owner == dana
        assert "connection.assigned" in codes(invitation.connection)

    def test_refuses_owners_of_another_organization_and_leaves_nothing_behind(self, cast):
        oscar = Membership.objects.get(user=cast.oscar)

        with pytest.raises(Invalid, match="is not a member of Northwind Agency"):
            invite_sub_org(cast, owners={"sales_owner": oscar, "support_owner": None})

        assert not Organization.objects.filter(name="Acme").exists()

    def test_founds_nothing_for_a_bad_address(self, cast):
        with pytest.raises(Invalid):
            invite_sub_org(cast, email="nonsense")

        assert not Organization.objects.filter(name="Acme").exists()

    def test_founds_one_sub_org_when_the_form_is_sent_twice(self, cast):
        invite_sub_org(cast)

        with pytest.raises(Invalid, match="is invited already"):
            invite_sub_org(cast, name="acme")

        assert Organization.objects.filter(name__iexact="Acme").count() == 1

    def test_gives_equal_names_different_addresses(self, cast):
        first = invite_sub_org(cast, email="a@example.com")
        second = invite_sub_org(cast, email="b@example.com")

        assert [first.organization.slug, second.organization.slug] == ["acme", "acme-2"]

    def test_makes_a_partner_when_the_platform_invites(self, cast):
        invitation = Invitation.send_to_customer(
            provider=cast.revampd, name="Tailspin", email="zed@example.com", by=cast.rhea, at=NOW
        )

        tailspin = invitation.organization
        assert tailspin.is_partner
        assert [c.provider for c in tailspin.bought.all()] == [cast.revampd]


class TestAccept:
    def test_makes_the_reader_a_member(self, cast):
        membership = invite(cast).accept(by=cast.zed, at=NOW)

        assert (membership.user, membership.organization, membership.role) == (
            cast.zed,
            cast.northwind,
            "SUPPORT",
        )

    def test_activates_the_sub_org_and_all_its_connections(self, cast):
        invitation = invite_sub_org(cast)

        invitation.accept(by=cast.zed, at=NOW)

        acme = Organization.objects.get(name="Acme")
        assert acme.is_active
        assert set(acme.bought.values_list("state", "active_since")) == {("ACTIVE", NOW)}
        assert codes(invitation.connection)[-1] == "connection.activated"

    def test_ignores_capitals_in_the_address(self, cast):
        invitation = invite(cast)
        cast.zed.email = "Zed@Example.com"

        assert invitation.accept(by=cast.zed, at=NOW).user == cast.zed

    def test_refuses_another_person(self, cast):
        with pytest.raises(InvitationForSomebodyElse, match="signed in as oscar@"):
            invite(cast).accept(by=cast.oscar, at=NOW)

        assert not cast.northwind.memberships.filter(user=cast.oscar).exists()

    def test_works_once(self, cast):
        invitation = invite(cast)
        invitation.accept(by=cast.zed, at=NOW)

        with pytest.raises(InvitationClosed, match="used already"):
            invitation.accept(by=cast.zed, at=NOW)

        assert codes(invitation) == ["invitation.sent", "invitation.accepted"]

    def test_works_until_the_last_instant_and_not_at_the_end(self, cast):
        late = invite(cast)
        with pytest.raises(InvitationClosed, match="has expired"):
            late.accept(by=cast.zed, at=NOW + OPEN_FOR)

        in_time = NOW + OPEN_FOR - timedelta(seconds=1)
        assert late.accept(by=cast.zed, at=in_time).user == cast.zed

    def test_refuses_a_withdrawn_one(self, cast):
        invitation = invite(cast)
        invitation.withdraw(by=cast.maya, at=NOW)

        with pytest.raises(InvitationClosed, match="withdrawn") as refusal:
            invitation.accept(by=cast.zed, at=NOW)

        assert refusal.value.next_step == "Ask Northwind Agency for a new one."

    def test_sends_the_sub_org_to_the_partner_for_a_new_one(self, cast):
        invitation = invite_sub_org(cast)

        refusal = invitation.refusal_of(None, at=NOW + OPEN_FOR)

        assert refusal is not None
        assert refusal.next_step == "Ask Northwind Agency for a new one."


class TestWithdraw:
    def test_works_once(self, cast):
        invitation = invite(cast)
        invitation.withdraw(by=cast.maya, at=NOW)

        with pytest.raises(InvitationClosed, match="was withdrawn already"):
            invitation.withdraw(by=cast.maya, at=NOW)

    def test_cannot_take_back_what_was_accepted(self, cast):
        invitation = invite(cast)
        invitation.accept(by=cast.zed, at=NOW)

        with pytest.raises(InvitationClosed, match="was accepted already"):
            invitation.withdraw(by=cast.maya, at=NOW)


class TestResend:
    def test_closes_the_old_link_and_opens_a_new_one(self, cast):
        old = invite(cast)

        new = old.resend(by=cast.maya, at=NOW + timedelta(days=20))

        old.refresh_from_db()
        assert old.state == Invitation.State.WITHDRAWN
        assert new.is_open(NOW + timedelta(days=30))
        assert (new.email, new.role) == (old.email, old.role)

    def test_goes_to_another_address_if_the_first_was_wrong(self, cast):
        new = invite_sub_org(cast, email="zde@example.com").resend(
            by=cast.maya, at=NOW, email="zed@example.com"
        )

        assert new.accept(by=cast.zed, at=NOW).role == "OWNER"
        assert new.organization.bought.active().count() == 2

    def test_keeps_the_old_link_if_the_new_address_is_none(self, cast):
        old = invite(cast)

        with pytest.raises(Invalid):
            old.resend(by=cast.maya, at=NOW, email="nonsense")

        old.refresh_from_db()
        assert old.is_open(NOW)

    def test_refuses_when_somebody_has_joined_with_it(self, cast):
        old = invite(cast)
        old.accept(by=cast.zed, at=NOW)

        with pytest.raises(InvitationClosed):
            old.resend(by=cast.maya, at=NOW)


class TestUnanswered:
    def test_lists_the_newest_invitation_to_each_customer_that_has_not_joined(self, cast):
        first = invite_sub_org(cast)
        second = first.resend(by=cast.maya, at=NOW + timedelta(days=1))
        joined = invite_sub_org(cast, name="Joined", email="oscar@example.com")
        joined.accept(by=cast.oscar, at=NOW)

        assert list(Invitation.objects.to_customers_of(cast.northwind).unanswered()) == [second]


class TestToken:
    def test_names_its_invitation_and_nothing_else_does(self, cast):
        invitation = invite(cast)
        token = invitation_token(invitation.pk)

        assert invitation_id(token) == str(invitation.pk)
        assert Invitation.objects.of_token(token) == invitation
        for forged in ("", "x", token[:-1], f"{token}x", str(invitation.pk), token.swapcase()):
            with pytest.raises(Invitation.DoesNotExist):
                Invitation.objects.of_token(forged)
