"""What every page of a signed-in person shows around its own content."""

from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from billing.models import BillingRequest
from connections.access import Party
from connections.models import Membership, User
from notifications.bell import bell_of
from revampd.kit.prepared import prepared

from .navigation import navigation, shows_requests


def page(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `bell` and where the page stands; nothing of them for somebody signed out."""
    user = getattr(request, "user", None)
    around: dict[str, Any] = {"demo": settings.IS_DEMO}
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return around
    party: Party | None = getattr(request, "party", None)
    membership: Membership | None = getattr(request, "membership", None)
    return around | {
        # Lazy: a fragment that shows none of them costs no query.
        "nav": cache(lambda: navigation(request, user.belongs_to)),
        "waiting": cache(lambda: _waiting(party)),
        "shows_waiting": _shows_waiting(request, party),
        "bell": SimpleLazyObject(lambda: bell_of(user)),
        "party": party,
        "membership": membership,
        "organization": membership.organization if membership else None,
    }


def _waiting(party: Party | None) -> int:
    """How many requests of the page's connection wait for a decision."""
    if party is None or not shows_requests(party):
        return 0
    return _pending.first(party.connection.pk) or 0


@prepared
def _pending(connection: Any) -> "QuerySet[BillingRequest, int]":
    pending = BillingRequest.objects.pending().filter(connection=connection)
    counted = pending.order_by().values("connection").annotate(number=Count("pk"))
    numbers: QuerySet[BillingRequest, int] = counted.values_list("number", flat=True)
    return numbers


def _shows_waiting(request: HttpRequest, party: Party | None) -> bool:
    """Whether the page in the browser counts what waits; a list of notifications does not."""
    if party is None or not shows_requests(party):
        return False
    here = request.htmx.current_url_abs_path or request.path  # type: ignore[attr-defined]
    return bool(here.startswith(reverse("overview", args=[party.connection.pk])))
