"""Organizations and their connections."""

import pytest

from connections.models import Membership, Organization
from tests.guarantees.statements import accepted, copy, copy_refused, refused


class TestParties:
    def test_has_one_platform(self, cast):
        partner = {"slug": "another", "kind": "PARTNER"}

        copy_refused(cast.revampd, slug="another", by="one_platform")
        copy(cast.revampd, **partner)
        refused(
            "UPDATE connections_organization SET kind = 'PLATFORM' WHERE id = %s",
            Organization.objects.get(slug="another").pk,
            by="one_platform",
        )

    @pytest.mark.parametrize(
        ("provider", "customer"),
        [
            ("bluebird", "northwind"),
            ("northwind", "revampd"),
            ("northwind", "contoso"),
            ("bluebird", "fabrikam"),
        ],
    )
    def test_connects_only_a_provider_with_a_customer(self, cast, provider, customer):
        seller, buyer = getattr(cast, provider), getattr(cast, customer)
        wrong = {
            "provider_id": seller.pk,
            "provider_kind": seller.kind,
            "customer_id": buyer.pk,
            "customer_kind": buyer.kind,
        }

        copy_refused(cast.northwind_bluebird, **wrong, by="connection_kinds")
        copy(cast.northwind_bluebird, customer_id=cast.fabrikam.pk)

    def test_cannot_lie_about_its_kinds(self, cast):
        bluebird = {"provider_id": cast.bluebird.pk, "customer_id": cast.fabrikam.pk}

        copy_refused(cast.northwind_bluebird, **bluebird, by="connection_provider_of_kind")
        partner = {"customer_id": cast.contoso.pk}
        copy_refused(cast.northwind_bluebird, **partner, by="connection_customer_of_kind")
        refused(
            "UPDATE connections_organization SET kind = 'SUB_ORG' WHERE id = %s",
            cast.northwind.pk,
            by="connection_",
        )

    def test_connects_two_parties_once(self, cast):
        copy_refused(cast.northwind_bluebird, by="connection_unique")

    @pytest.mark.parametrize(
        ("column", "by"),
        [
            ("sales_owner_id", "connection_sales_owner_of_provider"),
            ("support_owner_id", "connection_support_owner_of_provider"),
        ],
    )
    def test_is_looked_after_by_a_member_of_the_provider(self, cast, column, by):
        theirs = Membership.objects.get(user=cast.ben)
        ours = Membership.objects.get(user=cast.noah)
        statement = f"UPDATE connections_connection SET {column} = %s WHERE id = %s"

        refused(statement, theirs.pk, cast.northwind_bluebird.pk, by=by)
        accepted(statement, ours.pk, cast.northwind_bluebird.pk)

    def test_stays_the_provider_of_what_it_has_billed(self, books, cast):
        statement = "UPDATE connections_connection SET provider_id = %s WHERE id = %s"

        refused(statement, cast.contoso.pk, books.connection.pk, by="_of_provider")
