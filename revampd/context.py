"""What every page of a signed-in person shows around its own content."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from billing.models import BillingRequest
from connections.access import Party
from connections.models import Membership, User
from notifications.bell import Bell, newest_unread
from revampd.kit.prepared import prepared
from tickets.models import Unread

from .navigation import navigation, organization_of, shows_requests


def page(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `bell` and where the page stands; nothing of them for somebody signed out."""
    user = getattr(request, "user", None)
    around: dict[str, Any] = {"demo": settings.IS_DEMO}
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return around
    party: Party | None = getattr(request, "party", None)
    membership: Membership | None = getattr(request, "membership", None)
    news = cache(lambda: _news(request, user, party))
    return around | {
        # Lazy: a fragment that shows none of them costs no query.
        "nav": cache(lambda: navigation(request, user.belongs_to)),
        "news": news,
        "waiting": cache(lambda: news().waiting),
        "shows_waiting": _shows_waiting(request, party),
        "bell": SimpleLazyObject(lambda: news().bell),
        "party": party,
        "membership": membership,
        "organization": membership.organization if membership else None,
    }


@dataclass(frozen=True)
class News:
    """What the frame of a page counts, read in one query."""

    bell: Bell
    waiting: int  # requests of the page's connection that wait for a decision
    tickets: tuple[tuple[str, int], ...]  # unread ones, by the entry of the menu that says so


def _news(request: HttpRequest, user: User, party: Party | None) -> News:
    organization = organization_of(request, party, user.belongs_to)
    connection = party.connection.pk if party else None
    found = _counted.first(user.pk, organization.pk if organization else None, connection)
    newest, sold, here, waiting = found or ([], 0, 0, 0)
    tickets = (("ticket-manager:tickets", sold), ("tickets:tickets", here))
    is_asked = party is not None and shows_requests(party)
    return News(Bell.of(newest), waiting if is_asked else 0, tickets)


@prepared
def _counted(user: Any, organization: Any, connection: Any) -> "QuerySet[User, Any]":
    unread = Unread.objects.of(user).filter(organization=organization)
    sold = unread.filter(connection__provider=organization)
    here = unread.filter(connection=connection)
    pending = BillingRequest.objects.pending().filter(connection=connection).order_by()
    waiting = pending.values("connection").annotate(number=Count("pk")).values("number")
    counted: QuerySet[User, Any] = User.objects.filter(pk=user).values_list(
        ArraySubquery(newest_unread(user)),
        sold.as_number(),
        here.as_number(),
        Coalesce(Subquery(waiting), 0),
    )
    return counted


def _shows_waiting(request: HttpRequest, party: Party | None) -> bool:
    """Whether the page in the browser counts what waits; a list of notifications does not."""
    if party is None or not shows_requests(party):
        return False
    here = request.htmx.current_url_abs_path or request.path  # type: ignore[attr-defined]
    return bool(here.startswith(reverse("overview", args=[party.connection.pk])))
