"""Who acts in the admin."""

from django.http import HttpRequest

from connections.models import User


def staff_of(request: HttpRequest) -> User:
    """The person who acts; the admin lets only signed-in staff this far."""
    return request.user  # type: ignore[return-value]
