"""Rows by the hundred, where a test needs a crowd and not a story; stories use tests/cast.py."""

from typing import Any

from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.faker import Faker

from connections.models import Connection, Membership, Organization, User


class UserFactory(DjangoModelFactory[User]):
    """A person who never signs in."""

    class Meta:
        model = User

    email = Sequence(lambda number: f"person-{number}@example.com")
    name = Faker("name")
    password = "!"


class OrganizationFactory(DjangoModelFactory[Organization]):
    """An active Sub-Org."""

    class Meta:
        model = Organization

    kind = Organization.Kind.SUB_ORG
    state = Organization.State.ACTIVE
    name = Faker("company")
    slug = Sequence(lambda number: f"organization-{number}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    organization = SubFactory(OrganizationFactory)
    user = SubFactory(UserFactory)
    role = "VIEWER"


def customers(provider: Organization, number: int) -> list[Connection]:
    """`number` Sub-Orgs that buy from `provider`, in three statements."""
    organizations = OrganizationFactory.build_batch(number)
    Organization.objects.bulk_create(organizations)
    fields: dict[str, Any] = {
        "provider": provider,
        "provider_kind": provider.kind,
        "customer_kind": Organization.Kind.SUB_ORG,
        "state": Connection.State.ACTIVE,
    }
    rows = [Connection(customer=organization, **fields) for organization in organizations]
    created: list[Connection] = Connection.objects.bulk_create(rows)
    return created
