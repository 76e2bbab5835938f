"""What a company and its people are, as the cast lists them."""

from collections.abc import Iterator
from dataclasses import dataclass

from connections.models import Organization, Role

KINDS = Organization.Kind
OWNER, BILLING, SUPPORT, VIEWER = Role


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `key` is the short name that stories and sign-in links use.

    `staff` is their role in the admin, if they work there.
    """

    key: str
    name: str
    email: str
    time_zone: str
    staff: str = ""


@dataclass(frozen=True)
class Member:
    """A person's role in a company."""

    person: Person
    role: Role


@dataclass(frozen=True)
class Company:
    """An organization, what it writes on its invoices, and its members, the first owner first."""

    key: str
    kind: Organization.Kind
    name: str
    legal_name: str
    street: str
    city: str
    tax_number: str
    billing_email: str
    time_zone: str
    members: tuple[Member, ...]

    @property
    def details(self) -> dict[str, str]:
        """What its owner fills in under Settings."""
        return {
            "legal_name": self.legal_name,
            "address": f"{self.street}\n{self.city}\nUnited States",
            "billing_email": self.billing_email,
            "tax_number": self.tax_number,
            "time_zone": self.time_zone,
        }

    @property
    def owner(self) -> Person:
        return self.members[0].person

    @property
    def colleagues(self) -> Iterator[Member]:
        """Everybody but the first owner."""
        return iter(self.members[1:])
