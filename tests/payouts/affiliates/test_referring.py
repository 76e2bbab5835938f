"""Links, and who comes by them: a Partner that signs up, a company that asks."""

from datetime import timedelta

import pytest

from billing.seats import NoSeatLeft, NoTier
from connections.models import Connection, Event, Invitation, Organization
from payouts.models import Inquiry, Referral, ReferralLink, ReferralTerms
from payouts.models.inquiries import AlreadyAnswered, AlreadyAsked
from payouts.models.referral_links import LinkStopped
from payouts.models.referrals import OwnReferral
from payouts.referring import AlreadySignedUp, sign_up
from revampd.kit.errors import Invalid, NotAllowed
from tests.billing.payments.test_races import at_once
from tests.billing.tiering import choose, put_on_sale
from tests.cast import LONG_AGO, person
from tests.payouts.acts import NOW, put_on_tier

from .acts import bring_partner, bring_sub_org, brought, give, link_of

DAY = timedelta(days=1)


class TestLink:
    def test_has_a_code_that_nobody_guesses(self, cast):
        codes = {link_of(cast.northwind, cast.revampd).code for _ in range(5)}

        assert len(codes) == 5
        assert min(map(len, codes)) >= 22

    def test_is_one_at_a_time_for_each_provider(self, cast):
        first = link_of(cast.northwind, cast.revampd)
        own = link_of(cast.northwind, cast.northwind)
        second = link_of(cast.northwind, cast.revampd, NOW + DAY)

        assert ReferralLink.objects.between(cast.northwind, cast.revampd) == second
        assert ReferralLink.objects.between(cast.northwind, cast.northwind) == own
        first.refresh_from_db()
        assert first.stopped_at == NOW + DAY

    def test_leads_to_whom_one_buys_from(self, cast):
        for provider in (cast.revampd, cast.northwind):
            assert link_of(cast.bluebird, provider).provider == provider
        for provider in (cast.contoso, cast.bluebird):
            with pytest.raises(Invalid, match="does not buy from"):
                link_of(cast.bluebird, provider)

    def test_is_made_and_stopped_by_those_who_may_bill(self, cast):
        link = link_of(cast.northwind, cast.revampd)
        for user in (cast.vera, cast.dana, cast.oscar, cast.ben):
            with pytest.raises(NotAllowed):
                ReferralLink.make(cast.northwind, cast.revampd, by=user, at=NOW)
            with pytest.raises(NotAllowed):
                link.stop(by=user, at=NOW)

        link.stop(by=cast.noah, at=NOW)
        with pytest.raises(LinkStopped):
            link.stop(by=cast.maya, at=NOW)


class TestTerms:
    def test_are_kept_as_a_history(self, cast):
        give(cast.revampd, 20_00, 12)
        give(cast.revampd, 10_00, None, at=NOW)

        found = ReferralTerms.objects.of
        assert found(cast.revampd, at=NOW - DAY).in_words == "20 % for 12 months"
        assert found(cast.revampd, at=NOW).in_words == "10 % for as long as it stays"
        assert found(cast.revampd, at=LONG_AGO - DAY) is None
        assert found(cast.northwind, at=NOW) is None

    def test_that_are_the_same_change_nothing(self, cast):
        assert give(cast.revampd, 5_00, 1) == give(cast.revampd, 5_00, 1, at=NOW)
        assert Event.objects.filter(code="referral_terms.offered").count() == 1

    @pytest.mark.parametrize(
        ("rate", "months", "field"),
        [
            *((101_00, 12, "rate"), (-1, 12, "rate"), (1, 0, "months")),
            *((1, -3, "months"), (1, 121, "months")),
        ],
    )
    def test_outside_what_can_be_are_refused(self, cast, rate, months, field):
        with pytest.raises(Invalid) as refusal:
            give(cast.revampd, rate, months)
        assert refusal.value.field == field

    def test_are_set_by_who_bears_them(self, cast):
        with pytest.raises(NotAllowed):
            ReferralTerms.offer(cast.northwind, rate=1, months=1, by=cast.rhea, at=NOW)
        with pytest.raises(NotAllowed):
            ReferralTerms.offer(cast.revampd, rate=1, months=1, by=cast.maya, at=NOW)
        with pytest.raises(Invalid, match="sells nothing"):
            ReferralTerms.offer(cast.bluebird, rate=1, months=1, by=cast.ben, at=NOW)

    def test_never_hold_for_days_that_have_passed(self, cast):
        give(cast.revampd, 20_00, 12, at=NOW)
        with pytest.raises(Invalid, match="never for days that have passed"):
            give(cast.revampd, 30_00, 12, at=NOW - DAY)


class TestSignUp:
    def test_founds_a_partner_that_is_connected_at_once(self, cast):
        ada = person("Ada")
        connection = bring_partner(cast.northwind, by=ada)

        partner = connection.customer
        assert (partner.kind, partner.state) == ("PARTNER", "ACTIVE")
        assert (connection.provider, connection.state) == (cast.revampd, "ACTIVE")
        assert partner.memberships.get().user == ada
        referral = brought(connection)
        assert (referral.referrer, referral.account) == (cast.northwind, cast.revampd_northwind)
        assert (referral.frozen_at, referral.rate) == (None, 0)
        assert not Invitation.objects.filter(organization=partner).exists()

    def test_works_through_the_link_of_a_sub_org(self, cast):
        referral = brought(bring_partner(cast.bluebird))

        assert (referral.referrer, referral.account) == (cast.bluebird, cast.revampd_bluebird)

    def test_tells_who_brought_it(self, cast):
        bring_partner(cast.northwind)

        [told] = Event.objects.filter(code="referral.begun")
        assert (told.organization, told.facts["referred"]) == (cast.northwind, "Ada & Co")

    def test_through_a_stopped_link_is_refused(self, cast):
        link = link_of(cast.northwind, cast.revampd)
        link.stop(by=cast.maya, at=NOW)

        with pytest.raises(LinkStopped, match="no longer works"):
            sign_up(link, name="Late", by=person("Ada"), at=NOW)

    def test_needs_a_name(self, cast):
        with pytest.raises(Invalid, match="what your company is called"):
            sign_up(link_of(cast.northwind, cast.revampd), name="  ", by=person("Ada"), at=NOW)

    def test_happens_once_a_person(self, cast):
        ada = person("Ada")
        bring_partner(cast.northwind, by=ada)

        for referrer in (cast.northwind, cast.contoso):
            with pytest.raises(AlreadySignedUp, match="You signed up with Ada & Co already"):
                bring_partner(referrer, "Another", by=ada)

    def test_of_a_link_to_a_partner_is_refused(self, cast):
        with pytest.raises(Invalid, match="answers first"):
            sign_up(link_of(cast.northwind, cast.northwind), name="Ada", by=person("Ada"), at=NOW)

    def test_by_twenty_people_at_once_founds_twenty(self, committed_cast):
        cast = committed_cast
        link = link_of(cast.northwind, cast.revampd)
        people = [person(f"Ada{number}") for number in range(20)]

        at_once(
            *[
                lambda user=user: sign_up(link, name="The same name", by=user, at=NOW)
                for user in people
            ]
        )

        assert Referral.objects.filter(link=link).count() == 20
        slugs = Organization.objects.filter(name="The same name").values_list("slug", flat=True)
        assert len(set(slugs)) == 20

    def test_by_one_person_twenty_times_at_once_founds_one(self, committed_cast):
        cast = committed_cast
        link, ada = link_of(cast.northwind, cast.revampd), person("Ada")
        refusals = []

        def press() -> None:
            try:
                sign_up(link, name="Ada & Co", by=ada, at=NOW)
            except AlreadySignedUp as refusal:
                refusals.append(refusal)

        at_once(*[press] * 20)

        assert len(refusals) == 19
        assert Organization.objects.filter(name="Ada & Co").count() == 1


class TestSelfReferral:
    def test_by_a_member_is_refused(self, cast):
        link = link_of(cast.northwind, cast.revampd)
        for member in (cast.maya, cast.vera):
            with pytest.raises(OwnReferral, match="You belong to Northwind Agency"):
                sign_up(link, name="Mine", by=member, at=NOW)

    def test_around_a_corner_is_refused(self, cast):
        ada, ben = person("Ada"), person("Bert")
        second = bring_partner(cast.northwind, by=ada).customer
        third = bring_partner(second, "Bert", by=ben).customer
        link = link_of(third, cast.revampd)

        for user, belongs in ((ben, third), (ada, second), (cast.maya, cast.northwind)):
            with pytest.raises(OwnReferral, match=f"You belong to {belongs}"):
                sign_up(link, name="Round", by=user, at=NOW)
        assert bring_partner(third, "Carl").customer.name == "Carl & Co"


class TestInquiry:
    def send(self, link: ReferralLink, by=None, **details):
        details = {"name": "Ada & Co", "note": "We met in May.", "at": NOW} | details
        return Inquiry.send(link, by=by or person("Ada"), **details)

    def test_founds_nothing_before_it_is_accepted(self, cast):
        before = Organization.objects.count()
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))

        assert Organization.objects.count() == before
        assert (inquiry.state, inquiry.partner) == ("WAITING", cast.northwind)
        [told] = Event.objects.filter(code="inquiry.sent")
        assert told.organization == cast.northwind

    def test_that_is_accepted_becomes_an_invitation_and_a_referral(self, cast):
        put_on_tier(cast)
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))

        invitation = inquiry.accept(by=cast.maya, at=NOW)

        assert (invitation.email, invitation.organization.name) == ("ada@example.com", "Ada & Co")
        referral = brought(invitation.connection)
        assert (referral.referrer, referral.provider) == (cast.bluebird, cast.northwind)
        assert referral.account == cast.revampd_bluebird
        inquiry.refresh_from_db()
        assert (inquiry.state, inquiry.answered_by) == ("ACCEPTED", cast.maya)

    def test_by_the_partners_own_link_earns_nobody_anything(self, cast):
        put_on_tier(cast)

        self.send(link_of(cast.northwind, cast.northwind)).accept(by=cast.maya, at=NOW)

        assert not Referral.objects.exists()

    def test_takes_a_seat_as_every_sub_org(self, cast):
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))
        with pytest.raises(NoTier):
            inquiry.accept(by=cast.maya, at=NOW)

        choose(cast, put_on_sale(cast).starter, at=NOW)
        for number in range(9):
            bring_sub_org(cast.bluebird, cast.northwind, f"Bea{number}")
        with pytest.raises(NoSeatLeft):
            inquiry.accept(by=cast.maya, at=NOW)

        inquiry.refresh_from_db()
        assert inquiry.state == "WAITING"

    def test_that_is_declined_is_told_by_mail(self, cast):
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))

        inquiry.decline(answer="We are full.", by=cast.maya, at=NOW)

        [told] = Event.objects.filter(code="inquiry.declined")
        assert told.facts["email"] == "ada@example.com"
        assert told.facts["answer"] == "We are full."

    def test_is_answered_once(self, cast):
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))
        inquiry.decline(by=cast.maya, at=NOW)

        with pytest.raises(AlreadyAnswered, match="Maya Tester has answered already: declined"):
            inquiry.accept(by=cast.maya, at=NOW)

    def test_is_answered_by_owners_alone(self, cast):
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))
        for user in (cast.noah, cast.vera, cast.ben, cast.oscar):
            with pytest.raises(NotAllowed):
                inquiry.accept(by=user, at=NOW)
            with pytest.raises(NotAllowed):
                inquiry.decline(by=user, at=NOW)

    def test_waits_one_at_a_time_and_not_too_often(self, cast):
        link, ada = link_of(cast.bluebird, cast.northwind), person("Ada")
        for number in range(5):
            inquiry = self.send(link, by=ada, name=f"Try {number}")
            with pytest.raises(AlreadyAsked, match=f"for Try {number} already"):
                self.send(link, by=ada)
            inquiry.decline(by=cast.maya, at=NOW)

        with pytest.raises(Invalid, match="Ask again tomorrow"):
            self.send(link, by=ada)
        assert self.send(link, by=ada, at=NOW + DAY).state == "WAITING"

    def test_of_who_belongs_there_already_is_refused(self, cast):
        link = link_of(cast.northwind, cast.northwind)
        with pytest.raises(OwnReferral):
            self.send(link, by=cast.maya)
        with pytest.raises(AlreadyAsked, match="Bluebird Clinic is connected with Northwind"):
            self.send(link, by=cast.ben)
        with pytest.raises(OwnReferral):
            self.send(link_of(cast.bluebird, cast.northwind), by=cast.theo)

    def test_accepted_twenty_times_at_once_invites_once(self, committed_cast):
        cast = committed_cast
        put_on_tier(cast)
        inquiry = self.send(link_of(cast.bluebird, cast.northwind))
        done = []

        def answer(number: int) -> None:
            row = Inquiry.objects.select_related("partner", "link", "asked_by").get()
            try:
                if number % 2:
                    row.decline(by=cast.maya, at=NOW)
                else:
                    row.accept(by=cast.maya, at=NOW)
                done.append(number)
            except AlreadyAnswered:
                pass

        at_once(*[lambda number=number: answer(number) for number in range(20)])

        assert len(done) == 1
        inquiry.refresh_from_db()
        invited = Connection.objects.filter(customer__name="Ada & Co", provider=cast.northwind)
        assert invited.count() == (inquiry.state == "ACCEPTED")
