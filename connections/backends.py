"""How people are recognised: allauth's way, with the person of a session read in short."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from revampd.kit.prepared import prepared

from .models import User


@prepared
def person(key: Any) -> QuerySet[User]:
    return User.objects.filter(pk=key)


class Backend(AuthenticationBackend):
    """Sign-in is allauth's. Every request asks who its session belongs to."""

    def get_user(self, user_id: Any) -> User | None:
        found = person.first(User._meta.pk.to_python(user_id))
        return found if found and self.user_can_authenticate(found) else None
