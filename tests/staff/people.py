"""Revampd's staff in their roles, for the tests."""

from django.contrib.auth.models import Group

from connections.models import User
from tests.cast import person

ROLES = ("Support", "Finance", "Administrator")


def staff(*roles: str, name: str = "") -> User:
    """A member of staff, no superuser, with these roles and of no organization."""
    user = person(name or (roles[0] if roles else "Nobody"), is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return User.objects.get(pk=user.pk)
