"""Two at the same moment, on a real database with real commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from connections.models import Connection, Event, Invitation, Membership, Organization
from revampd.kit.errors import DomainError
from tests.cast import Cast

pytestmark = pytest.mark.timeout(180)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all `acts` at the same moment, each on its own connection; what each gave or refused."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=60)
            return act()
        except DomainError as refusal:
            return refusal
        finally:
            database.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def refused(outcomes: list[Any]) -> list[DomainError]:
    return [outcome for outcome in outcomes if isinstance(outcome, DomainError)]


def invite(cast: Cast) -> Invitation:
    return Invitation.send(
        organization=cast.northwind,
        email="zed@example.com",
        role="VIEWER",
        by=cast.maya,
        at=timezone.now(),
    )


def accept(invitation: Invitation, cast: Cast) -> Callable[[], Any]:
    same = Invitation.objects.get(pk=invitation.pk)
    return lambda: same.accept(by=cast.zed, at=timezone.now())


class TestAccept:
    def test_happens_once_of_twenty_times(self, committed_cast):
        invitation = invite(committed_cast)

        outcomes = at_once(*(accept(invitation, committed_cast) for _ in range(20)))

        assert len(refused(outcomes)) == 19
        assert {str(refusal) for refusal in refused(outcomes)} == {
            "This invitation was used already."
        }
        assert Membership.objects.filter(user=committed_cast.zed).count() == 1
        assert (
            Event.objects.filter(code="invitation.accepted", subject_id=invitation.pk).count() == 1
        )

    def test_or_withdrawing_wins_and_never_both(self, committed_cast):
        for _ in range(10):
            invitation = invite(committed_cast)
            other = Invitation.objects.get(pk=invitation.pk)

            outcomes = at_once(
                accept(invitation, committed_cast),
                partial(other.withdraw, by=committed_cast.maya, at=timezone.now()),
            )

            invitation.refresh_from_db()
            joined = Membership.objects.filter(user=committed_cast.zed)
            assert len(refused(outcomes)) == 1
            assert joined.exists() == (invitation.state == Invitation.State.ACCEPTED)
            for membership in joined:
                membership.end(by=committed_cast.maya)

    def test_waits_for_nobody_forever_while_it_is_sent_again(self, committed_cast):
        for _ in range(10):
            invitation = invite(committed_cast)
            other = Invitation.objects.get(pk=invitation.pk)

            at_once(
                accept(invitation, committed_cast),
                partial(other.resend, by=committed_cast.maya, at=timezone.now()),
                lambda: invite(committed_cast),
            )

            open_ones = Invitation.objects.pending().filter(email="zed@example.com")
            assert open_ones.count() <= 1
            for membership in Membership.objects.filter(user=committed_cast.zed):
                membership.end(by=committed_cast.maya)


class TestOwners:
    def test_one_remains_of_two_who_remove_each_other(self, committed_cast):
        cast = committed_cast
        maya, noah = (
            Membership.objects.get(user=user, organization=cast.northwind)
            for user in (cast.maya, cast.noah)
        )
        noah.change_role("OWNER", by=cast.maya)

        outcomes = at_once(lambda: maya.end(by=cast.noah), lambda: noah.end(by=cast.maya))

        assert len(refused(outcomes)) == 1
        assert cast.northwind.memberships.owners().count() == 1

    def test_one_remains_of_two_who_step_down(self, committed_cast):
        cast = committed_cast
        maya, noah = (
            Membership.objects.get(user=user, organization=cast.northwind)
            for user in (cast.maya, cast.noah)
        )
        noah.change_role("OWNER", by=cast.maya)

        outcomes = at_once(
            lambda: maya.change_role("VIEWER", by=cast.maya),
            lambda: noah.change_role("VIEWER", by=cast.noah),
        )

        assert len(refused(outcomes)) == 1
        assert cast.northwind.memberships.owners().count() == 1

    def test_a_leaving_member_is_named_on_no_connection(self, committed_cast):
        cast = committed_cast
        dana = Membership.objects.get(user=cast.dana)
        same = Membership.objects.select_related("user", "organization").get(pk=dana.pk)
        connection = Connection.objects.get(pk=cast.northwind_bluebird.pk)

        outcomes = at_once(
            lambda: same.end(by=cast.maya),
            lambda: connection.assign_owners(sales=dana, support=dana, by=cast.maya),
        )

        assert len(refused(outcomes)) <= 1
        connection.refresh_from_db()
        assert (connection.sales_owner, connection.support_owner) == (None, None)


class TestFoundings:
    def test_of_one_name_get_addresses_of_their_own(self, committed_cast):
        cast = committed_cast

        def found(provider: Organization, number: int) -> Callable[[], Any]:
            return lambda: Invitation.send_to_customer(
                provider=provider,
                name="Acme",
                email=f"a{number}@example.com",
                by=cast.maya,
                at=timezone.now(),
            )

        providers = [cast.northwind, cast.contoso] * 4
        outcomes = at_once(*(found(provider, n) for n, provider in enumerate(providers)))

        assert refused(outcomes) == []
        assert len({outcome.organization.slug for outcome in outcomes}) == 8

    def test_happen_once_when_one_form_is_sent_twice(self, committed_cast):
        cast = committed_cast

        def found() -> Invitation:
            return Invitation.send_to_customer(
                provider=cast.northwind,
                name="Acme",
                email="ada@example.com",
                by=cast.maya,
                at=timezone.now(),
            )

        outcomes = at_once(found, found)

        assert len(refused(outcomes)) == 1
        assert Organization.objects.filter(name="Acme").count() == 1
