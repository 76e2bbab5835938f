"""A tier allows so many Sub-Orgs: who counts, who is refused, and that nobody slips through."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingRequest
from billing.models.proposals import Proposal
from billing.seats import NoSeatLeft, NoTier, Seats, invite, invite_again
from connections.models import Invitation, Organization
from connections.models.invitations import OPEN_FOR, SeatGivenBack
from revampd.kit.errors import Invalid
from tests.cast import Cast, between, connect
from tests.connections.test_races import at_once, refused

from .deals import queries
from .partners import clinics, confirm, sub_orgs, take_tier, tier


def send(cast: Cast, name: str = "Acme", **details) -> Invitation:
    email = f"{name.lower().replace(' ', '-')}@example.com"
    return invite(
        partner=cast.northwind,
        name=name,
        email=email,
        by=cast.maya,
        **{"at": timezone.now(), **details},
    )


def taken(cast: Cast, at=None) -> int:
    return Seats.of(cast.northwind, at or timezone.now()).taken


class TestInvite:
    def test_takes_a_seat_until_none_is_left(self, cast):
        take_tier(cast, 3)
        send(cast, "One")
        send(cast, "Two")

        with pytest.raises(NoSeatLeft) as refusal:
            send(cast, "Three")

        assert refusal.value.sentence == "Starter allows 3 Sub-Orgs, and you have 3."
        assert refusal.value.tier_connection == cast.revampd_northwind
        assert len(sub_orgs(cast)) == 3
        assert not Organization.objects.filter(name="Three").exists()

    def test_needs_a_tier(self, cast):
        with pytest.raises(NoTier, match="Choose a tier first"):
            send(cast)

        assert not Organization.objects.filter(name="Acme").exists()

    def test_has_no_end_if_the_tier_has_none(self, cast):
        take_tier(cast, None)

        for number in range(12):
            send(cast, f"Clinic {number}")

        assert taken(cast) == 13

    def test_goes_by_the_tier_that_runs_today(self, cast):
        take_tier(cast, 3, at=timezone.now() - timedelta(days=1))

        with pytest.raises(NoTier):
            send(cast, at=timezone.now() - timedelta(days=5))
        assert send(cast).is_open(timezone.now())

    def test_refuses_what_an_invitation_cannot_be(self, cast):
        take_tier(cast, 3)
        send(cast)

        with pytest.raises(Invalid, match="is invited already"):
            send(cast)

        assert taken(cast) == 2

    def test_leaves_the_seats_of_others_alone(self, cast):
        take_tier(cast, 1)

        assert Seats.of(cast.contoso, timezone.now()).taken == 1
        with pytest.raises(NoSeatLeft, match="Starter allows 1 Sub-Org, and you have 1"):
            send(cast)


class TestSeat:
    """Who counts."""

    def test_is_held_by_whoever_is_invited_joined_or_suspended(self, cast):
        take_tier(cast, 10)
        send(cast)
        cast.northwind_bluebird.suspend(at=timezone.now(), code="INV-00001", payable="$1")

        assert taken(cast) == 2

    def test_goes_back_when_the_invitation_is_withdrawn(self, cast):
        take_tier(cast, 2)
        send(cast).withdraw(by=cast.maya, at=timezone.now())

        assert taken(cast) == 1
        send(cast, "Another")

    def test_goes_back_when_the_invitation_expires(self, cast):
        take_tier(cast, 2)
        now = timezone.now()
        send(cast)

        assert taken(cast, now + OPEN_FOR - timedelta(minutes=1)) == 2
        assert taken(cast, now + OPEN_FOR + timedelta(minutes=1)) == 1

    def test_is_kept_by_who_joined_after_the_invitation_would_have_expired(self, cast):
        take_tier(cast, 2)
        now = timezone.now()
        invitation = send(cast)
        cast.zed.email = invitation.email
        invitation.accept(by=cast.zed, at=now)

        assert taken(cast, now + OPEN_FOR * 2) == 2

    def test_is_counted_once_for_two_open_links(self, cast):
        take_tier(cast, 5)
        first = send(cast)
        first.resend(by=cast.maya, at=timezone.now(), email="b@example.com")
        first.resend(by=cast.maya, at=timezone.now(), email="c@example.com")

        assert Invitation.objects.pending().filter(connection=first.connection).count() == 2
        assert taken(cast) == 2

    def test_is_held_by_what_an_import_has_still_to_invite(self, cast):
        take_tier(cast, 4)
        confirm(cast, clinics(2))

        assert taken(cast) == 3
        send(cast)
        with pytest.raises(NoSeatLeft, match="Starter allows 4 Sub-Orgs, and you have 4"):
            send(cast, "Another")


class TestInviteAgain:
    def test_needs_no_second_seat_while_the_link_works(self, cast):
        take_tier(cast, 2)
        invitation = send(cast)

        again = invite_again(invitation, by=cast.maya, at=timezone.now(), email="x@example.com")

        assert (again.email, taken(cast)) == ("x@example.com", 2)

    @pytest.mark.parametrize("how", ["withdrawn", "expired"])
    def test_takes_a_seat_again_and_is_refused_if_there_is_none(self, cast, how):
        take_tier(cast, 2)
        now = timezone.now()
        invitation = send(cast, at=now - OPEN_FOR * 2 if how == "expired" else now)
        if how == "withdrawn":
            invitation.withdraw(by=cast.maya, at=now)
        other = send(cast, "Another")

        with pytest.raises(NoSeatLeft):
            invite_again(invitation, by=cast.maya, at=now)
        other.withdraw(by=cast.maya, at=now)

        assert invite_again(invitation, by=cast.maya, at=now).is_open(now)
        assert taken(cast) == 2

    def test_cannot_be_forgotten_by_who_sends_it_again_otherwise(self, cast):
        take_tier(cast, 2)
        invitation = send(cast)
        invitation.withdraw(by=cast.maya, at=timezone.now())

        with pytest.raises(SeatGivenBack) as refusal:
            invitation.resend(by=cast.rhea, at=timezone.now())

        assert "Northwind Agency can invite it again" in refusal.value.next_step

    def test_needs_no_seat_for_colleagues_and_partners(self, cast):
        now = timezone.now()
        partner = Invitation.send_to_customer(
            provider=cast.revampd, name="Tailspin", email="t@example.com", by=cast.rhea, at=now
        )
        colleague = Invitation.send(
            organization=cast.northwind, email="c@example.com", role="VIEWER", by=cast.maya, at=now
        )
        for invitation, by in ((partner, cast.rhea), (colleague, cast.maya)):
            invitation.withdraw(by=by, at=now)

            assert invite_again(invitation, by=by, at=now).is_open(now)


class TestPage:
    DATA = {"name": "Acme", "email": "ada@example.com"}

    def path(self, name: str = "invite-sub-org", *args) -> str:
        return reverse(name, args=["northwind-agency", *args])

    def test_says_how_many_there_are_and_leads_to_the_tiers(self, cast, as_):
        take_tier(cast, 10)

        page = as_(cast.maya).get(self.path()).text

        assert "Your tier: Starter" in page
        assert "1 of 10" in page
        assert reverse("billing:plan", args=[cast.revampd_northwind.pk]) in page

    def test_keeps_what_was_typed_and_offers_the_upgrade(self, cast, as_):
        take_tier(cast, 1)

        answer = as_(cast.maya).post(self.path(), self.DATA)

        assert answer.status_code == 409
        assert "Starter allows 1 Sub-Org, and you have 1." in answer.text
        assert 'value="ada@example.com"' in answer.text
        assert answer.text.count(reverse("billing:plan", args=[cast.revampd_northwind.pk])) >= 2

    def test_asks_for_a_tier_first(self, cast, as_):
        browser = as_(cast.maya)

        assert "You have no tier yet" in browser.get(self.path()).text
        answer = browser.post(self.path(), self.DATA)
        assert answer.status_code == 409
        assert "Choose a tier first." in answer.text

    def test_is_where_the_first_steps_of_a_partner_lead(self, cast, as_):
        tailspin = connect(cast.revampd, "Tailspin", cast.zed, by=cast.rhea)
        connection = between(cast.revampd, tailspin)
        chosen = Proposal(tier(cast, 10))
        BillingRequest.choose(chosen, connection=connection, by=cast.zed, at=timezone.now())

        page = as_(cast.zed).get(reverse("overview", args=[connection.pk])).text

        assert reverse("invite-sub-org", args=[tailspin.slug]) in page

    def test_refuses_to_send_again_what_has_no_seat(self, cast, as_):
        take_tier(cast, 2)
        invitation = send(cast)
        invitation.withdraw(by=cast.maya, at=timezone.now())
        send(cast, "Another")

        answer = as_(cast.maya).post(self.path("resend-invitation", invitation.pk))

        assert answer.status_code == 409
        assert "Starter allows 2 Sub-Orgs, and you have 2." in answer.text

    def test_costs_few_queries(self, cast, as_):
        take_tier(cast, 10)
        confirm(cast, clinics(3))

        assert queries(as_(cast.maya), self.path()) <= 10


@pytest.mark.timeout(180)
class TestRaces:
    def test_let_exactly_as_many_in_as_there_are_seats(self, committed_cast):
        take_tier(committed_cast, 4)

        outcomes = at_once(*(lambda n=n: send(committed_cast, f"Clinic {n}") for n in range(20)))

        assert len(refused(outcomes)) == 17
        assert {str(refusal) for refusal in refused(outcomes)} == {
            "Starter allows 4 Sub-Orgs, and you have 4."
        }
        assert len(sub_orgs(committed_cast)) == 4

    def test_let_a_file_in_whole_or_not_at_all(self, committed_cast):
        take_tier(committed_cast, 505)
        file = clinics(500)

        outcomes = at_once(
            lambda: confirm(committed_cast, file),
            *(lambda n=n: send(committed_cast, f"Practice {n}") for n in range(10)),
        )

        invited = [one for one in outcomes if isinstance(one, Invitation)]
        if isinstance(outcomes[0], NoSeatLeft):
            assert len(invited) == 10
        else:
            assert len(invited) == 4
        assert taken(committed_cast) <= 505

    def test_do_not_let_a_closed_link_back_in_beside_another(self, committed_cast):
        take_tier(committed_cast, 2)
        for round_ in range(5):
            closed = send(committed_cast, f"Closed {round_}")
            closed.withdraw(by=committed_cast.maya, at=timezone.now())

            outcomes = at_once(
                lambda closed=closed: invite_again(
                    closed, by=committed_cast.maya, at=timezone.now()
                ),
                lambda n=round_: send(committed_cast, f"Other {n}"),
            )

            assert len(refused(outcomes)) == 1
            [sent] = [one for one in outcomes if isinstance(one, Invitation)]
            sent.withdraw(by=committed_cast.maya, at=timezone.now())
