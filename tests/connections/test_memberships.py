"""Members: roles, the last owner, leaving, and who looks after a connection."""

import pytest

from connections.models import Event, Membership
from connections.models.memberships import LastOwner, NoMember
from revampd.kit.errors import Invalid, NotAllowed


def membership(user, organization) -> Membership:
    return Membership.objects.get(user=user, organization=organization)


class TestChangeRole:
    def test_records_the_role_before_and_after(self, cast):
        vera = membership(cast.vera, cast.northwind)

        vera.change_role("BILLING", by=cast.maya)

        event = Event.objects.about(vera).newest_first()[0]
        assert event.code == "member.changed"
        assert (event.facts["before"], event.facts["role"]) == ("Viewer", "Billing")

    def test_records_nothing_if_nothing_changes(self, cast):
        vera = membership(cast.vera, cast.northwind)

        vera.change_role("VIEWER", by=cast.maya)

        assert not Event.objects.filter(code="member.changed").exists()

    @pytest.mark.parametrize("name", ["noah", "dana", "vera", "oscar", "zed"])
    def test_is_for_owners(self, cast, name):
        vera = membership(cast.vera, cast.northwind)

        with pytest.raises(NotAllowed, match="Only an owner of Northwind Agency"):
            vera.change_role("OWNER", by=getattr(cast, name))

    def test_keeps_the_last_owner(self, cast):
        with pytest.raises(LastOwner, match="Maya Tester is the last owner"):
            membership(cast.maya, cast.northwind).change_role("VIEWER", by=cast.maya)

    def test_lets_an_owner_go_when_there_is_another(self, cast):
        membership(cast.noah, cast.northwind).change_role("OWNER", by=cast.maya)

        membership(cast.maya, cast.northwind).change_role("VIEWER", by=cast.noah)

        assert membership(cast.maya, cast.northwind).role == "VIEWER"

    def test_is_open_to_staff(self, cast):
        membership(cast.vera, cast.northwind).change_role("OWNER", by=cast.rhea)

        assert membership(cast.vera, cast.northwind).role == "OWNER"


class TestEnd:
    def test_removes_the_person(self, cast):
        membership(cast.vera, cast.northwind).end(by=cast.maya)

        assert not cast.northwind.memberships.filter(user=cast.vera).exists()
        assert Event.objects.filter(code="member.left", facts__member="Vera Tester").exists()

    def test_takes_the_person_off_the_connections_they_looked_after(self, cast):
        dana, noah = (membership(who, cast.northwind) for who in (cast.dana, cast.noah))
        connection = cast.northwind_bluebird
        connection.assign_owners(sales=noah, support=dana, by=cast.maya)

        dana.end(by=cast.maya)

        connection.refresh_from_db()
        assert (connection.sales_owner, connection.support_owner) == (noah, None)
        event = Event.objects.about(connection).filter(code="connection.assigned").last()
        assert event.facts == {"sales": "Noah Tester", "support": "nobody"}

    def test_keeps_the_last_owner(self, cast):
        with pytest.raises(LastOwner):
            membership(cast.maya, cast.northwind).end(by=cast.maya)

    def test_is_for_owners_and_not_for_other_organizations(self, cast):
        vera = membership(cast.vera, cast.northwind)

        for stranger in (cast.noah, cast.ben, cast.oscar):
            with pytest.raises(NotAllowed):
                vera.end(by=stranger)

    def test_happens_once(self, cast):
        vera = membership(cast.vera, cast.northwind)
        same = membership(cast.vera, cast.northwind)
        vera.end(by=cast.maya)

        with pytest.raises(NoMember, match="no longer belongs to Northwind Agency"):
            same.end(by=cast.maya)


class TestAssignOwners:
    def test_records_who_it_is(self, cast):
        dana = membership(cast.dana, cast.northwind)

        cast.northwind_bluebird.assign_owners(sales=dana, support=dana, by=cast.maya)

        event = Event.objects.about(cast.northwind_bluebird).newest_first()[0]
        assert event.facts == {"sales": "Dana Tester", "support": "Dana Tester"}

    def test_records_nothing_if_nothing_changes(self, cast):
        cast.northwind_bluebird.assign_owners(sales=None, support=None, by=cast.maya)

        assert not Event.objects.filter(code="connection.assigned").exists()

    @pytest.mark.parametrize("name", ["ben", "oscar", "rhea"])
    def test_refuses_members_of_other_organizations(self, cast, name):
        stranger = getattr(cast, name).memberships.get()

        with pytest.raises(Invalid, match="is not a member of Northwind Agency"):
            cast.northwind_bluebird.assign_owners(sales=stranger, support=None, by=cast.maya)


class TestChangeDetails:
    def test_keeps_what_stood_there_before(self, cast):
        cast.northwind.change_details(by=cast.maya, name="Northwind", tax_number="")

        event = Event.objects.about(cast.northwind).newest_first()[0]
        assert event.facts == {
            "before": {"name": "Northwind Agency"},
            "after": {"name": "Northwind"},
        }

    @pytest.mark.parametrize("name", ["noah", "vera", "ben", "zed"])
    def test_is_for_owners(self, cast, name):
        with pytest.raises(NotAllowed):
            cast.northwind.change_details(by=getattr(cast, name), name="Mine")


class TestChangeProfile:
    def test_tells_every_organization_of_the_person(self, cast):
        cast.dora.change_profile(name="Dora Other", time_zone="UTC")

        events = Event.objects.filter(code="person.changed")
        assert {event.organization for event in events} == {cast.northwind, cast.bluebird}
        assert events[0].facts["before"] == {"name": "Dora Tester"}
