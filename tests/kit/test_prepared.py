"""Queries written once: the same rows as the query set's own, for every call and shape."""

import threading
import uuid

import pytest
from django.db import connection
from django.db.models import Count, F

from connections.models import Connection, Membership, Organization
from revampd.kit.prepared import prepared


@prepared
def with_parties(key, *, also=()):
    return Connection.objects.select_related("provider", "customer", *also).filter(pk=key)


@prepared
def members(organization, role):
    return Membership.objects.filter(organization=organization, role=role).order_by("pk")


@prepared
def names(state, *, newest=False):
    rows = Organization.objects.filter(state=state).order_by("-pk" if newest else "pk")
    return rows.values_list("name", flat=True)[:2]


@prepared
def tally(role):
    return (
        Membership.objects.filter(role=role).values("organization").annotate(number=Count("pk"))
    ).order_by("organization")


@prepared
def called(beginning, *places, kinds):
    rows = Organization.objects.filter(name__istartswith=beginning)
    return rows.filter(**dict(zip(kinds, places, strict=True))).order_by("pk")


@pytest.mark.django_db
class TestPrepared:
    def test_gives_instances_with_what_is_read_with_them(self, cast, django_assert_num_queries):
        mine = Connection.objects.get(provider=cast.northwind, customer=cast.bluebird)

        with django_assert_num_queries(1):
            found = with_parties.first(mine.pk)
            assert found == mine
            assert (found.provider.name, found.customer.name) == (
                "Northwind Agency",
                "Bluebird Clinic",
            )

    def test_sends_the_values_of_each_call(self, cast):
        for organization in Organization.objects.all():
            for role in ("OWNER", "BILLING", "VIEWER"):
                own = Membership.objects.filter(organization=organization, role=role)
                assert members(organization.pk, role) == list(own.order_by("pk"))

    def test_takes_as_many_values_as_a_call_has(self, cast):
        for beginning, found in (("north", [cast.northwind]), ("nor%", []), ("x", [])):
            assert called(beginning, kinds=()) == found
            assert called(beginning, cast.northwind.slug, kinds=("slug",)) == found
            assert called(beginning, "PARTNER", "elsewhere", kinds=("kind", "slug")) == []

    def test_gives_none_where_there_is_no_row(self, cast):
        assert with_parties.first(uuid.uuid4()) is None
        assert with_parties(uuid.uuid4()) == []

    def test_writes_each_shape_apart(self, cast):
        everybody = list(Organization.objects.order_by("pk").values_list("name", flat=True))

        assert names("ACTIVE") == everybody[:2]
        assert names("ACTIVE", newest=True) == everybody[-1:-3:-1]
        assert with_parties.first(uuid.uuid4(), also=("sales_owner",)) is None

    def test_counts_and_groups(self, cast):
        own = Membership.objects.filter(role="OWNER").values("organization")
        assert tally("OWNER") == list(own.annotate(number=Count("pk")).order_by("organization"))

    def test_keeps_constants_as_they_are(self, cast):
        @prepared
        def odd(email):
            return Membership.objects.filter(user__email=email).exclude(
                user__name__contains="100%' OR 1=1 --"
            )

        assert odd(cast.maya.email) == list(cast.maya.memberships.all())
        assert odd("' OR 1=1 --") == []

    def test_is_planned_once_a_connection(self, cast):
        for _ in range(5):
            members(cast.northwind.pk, "OWNER")

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ['%"connections_membership"."role" = ($2)%'],
            )
            assert cursor.fetchone() == (1,)

    def test_refuses_what_would_be_fetched_besides(self):
        @prepared
        def besides(key):
            return Organization.objects.filter(pk=key).prefetch_related("members")

        with pytest.raises(TypeError, match="besides"):
            besides(uuid.uuid4())

    def test_does_not_ask_for_what_cannot_be(self, cast, django_assert_num_queries):
        @prepared
        def nobody(key):
            return Organization.objects.filter(pk=key, name__in=[])

        with django_assert_num_queries(0):
            assert nobody(cast.northwind.pk) == []

    def test_reads_expressions_beside_the_model(self, cast):
        @prepared
        def annotated(key):
            return Organization.objects.filter(pk=key).annotate(called=F("name"))

        assert annotated.first(cast.northwind.pk).called == "Northwind Agency"


def test_many_threads_read_at_once(committed_cast):
    """Each through a connection of its own, from the statement that one of them wrote."""
    found, wrong = [], []

    def read(organization):
        try:
            for _ in range(50):
                rows = members(organization.pk, "OWNER")
                if {row.organization_id for row in rows} - {organization.pk}:
                    wrong.append(organization)
            found.append(organization)
        finally:
            connection.close()

    organizations = list(Organization.objects.all())[:6]
    threads = [threading.Thread(target=read, args=(one,)) for one in organizations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
    assert len(found) == len(organizations)
