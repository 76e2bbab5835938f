"""The door. Every view declares who may come in, and reaches its rows only through what it gets.

`@party_view` for pages of a connection, `@organization_view` for those of an organization,
`@personal_view` for a person's own, `@public_view(reason)` for everybody. A stranger gets 404, the
wrong side or role 403. tests/test_access.py fails for a view without one of these.

Who looks as somebody else can change nothing here: see viewing.py. The door also sets the clock by
which the page goes, see clocks.py; a public page goes by real time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from revampd.kit.errors import DomainError, NotAllowed
from revampd.kit.prepared import prepared

from .clocks import clock_of_connection, clock_of_organization, clock_of_person
from .models import Connection, Membership, Organization, User
from .viewing import refuse_acts

View = Callable[..., HttpResponseBase]

# Who looks after a connection, for the pages that say so.
OWNERS = ("sales_owner__user", "support_owner__user")


class Side(Enum):
    PROVIDER = "provider"
    CUSTOMER = "customer"


class Duty(Enum):
    """What a view asks of a member's role; None on a view means that any role may come in."""

    MANAGE = "may_manage"
    BILL = "may_bill"
    SUPPORT = "may_support"
    RESEND = "may_resend"

    def belongs_to(self, membership: Membership) -> bool:
        return bool(getattr(membership, self.value))


@dataclass(frozen=True)
class Rule:
    """The declared access of a view, for the door and for the test that walks all of them."""

    door: str
    side: Side | None = None
    duty: Duty | None = None
    kinds: tuple[str, ...] = ()
    between: tuple[tuple[str, str], ...] = ()
    reason: str = ""


class MemberRequest(HttpRequest):
    """A request whose user is signed in, as `LoginRequiredMiddleware` guarantees."""

    user: User


@dataclass(frozen=True)
class Party:
    """This connection, from this side, by this person: what every page of a connection gets."""

    connection: Connection
    membership: Membership
    side: Side
    is_on_both_sides: bool = False

    @property
    def user(self) -> User:
        return self.membership.user

    @property
    def is_provider(self) -> bool:
        return self.side is Side.PROVIDER

    @property
    def is_customer(self) -> bool:
        return self.side is Side.CUSTOMER

    @property
    def organization(self) -> Organization:
        """Our own organization."""
        return self.connection.provider if self.is_provider else self.connection.customer

    @property
    def counterparty(self) -> Organization:
        """The other organization."""
        return self.connection.customer if self.is_provider else self.connection.provider

    @property
    def may_manage(self) -> bool:
        return self.membership.may_manage

    @property
    def may_bill(self) -> bool:
        return self.membership.may_bill

    @property
    def may_propose(self) -> bool:
        return self.is_provider and self.may_bill

    @property
    def may_decide(self) -> bool:
        return self.is_customer and self.may_bill


@prepared
def _connection(key: Any, *, also: tuple[str, ...]) -> QuerySet[Connection]:
    return Connection.objects.select_related("provider", "customer", *also).filter(pk=key)


def party_of(user: User, connection_id: Any, *also: str) -> Party:
    """The party that `user` is on a connection; `also` is read with it. Raises Http404.

    Who belongs to both sides sees the provider's: they must never decide what they proposed.
    """
    connection = _connection.first(connection_id, also=also)
    if connection is None:
        raise Http404
    mine = {membership.organization_id: membership for membership in user.belongs_to}
    provider, customer = mine.get(connection.provider_id), mine.get(connection.customer_id)
    if provider:
        return Party(connection, provider, Side.PROVIDER, is_on_both_sides=customer is not None)
    if customer:
        return Party(connection, customer, Side.CUSTOMER)
    raise Http404


def party_view(
    view: View | None = None,
    *,
    side: Side | None = None,
    duty: Duty | None = None,
    between: tuple[tuple[str, str], ...] = (),
    also: tuple[str, ...] = (),
    refused: View | None = None,
) -> Any:
    """A page below /connections/<uuid>/: the view gets (request, party, ...).

    `between` are the kinds of provider and customer whose connections have this page; others get
    404. `also` is read with the connection. `refused` is the page that shows a `DomainError` raised
    by the view in place: it is called with `refusal=error` besides the view's own arguments.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def enter(request: HttpRequest, connection_id: Any, **kwargs: Any) -> HttpResponseBase:
            refuse_acts(request)
            party = party_of(request.user, connection_id, *also)  # type: ignore[arg-type]
            request.party = party  # type: ignore[attr-defined]
            if between and party.connection.kinds not in between:
                raise Http404
            if side and party.side is not side:
                raise NotAllowed(_wrong_side(party, side))
            _check_duty(party.membership, duty)
            with clock_of_connection(party.connection):
                return _answer(view, refused, request, party, **kwargs)

        return _declared(enter, Rule("party", side=side, duty=duty, between=between))

    return decorate(view) if view else decorate


def organization_view(
    view: View | None = None,
    *,
    duty: Duty | None = None,
    kinds: tuple[str, ...] = (),
    refused: View | None = None,
) -> Any:
    """A page below /organizations/<slug>/: the view gets (request, membership, ...).

    `kinds` are the kinds of organization that have this page; others get 404.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def enter(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            refuse_acts(request)
            membership = _membership_of(request.user, slug)  # type: ignore[arg-type]
            request.membership = membership  # type: ignore[attr-defined]
            if kinds and membership.organization.kind not in kinds:
                raise Http404
            _check_duty(membership, duty)
            with clock_of_organization(membership.organization):
                return _answer(view, refused, request, membership, **kwargs)

        return _declared(enter, Rule("organization", duty=duty, kinds=kinds))

    return decorate(view) if view else decorate


def personal_view(view: View) -> View:
    """A page of the signed-in person: it must reach only rows of `request.user`."""

    @wraps(view)
    def enter(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        with clock_of_person(request.user):  # type: ignore[arg-type]
            return view(request, **kwargs)

    return _declared(enter, Rule("personal"))


def public_view(reason: str) -> Callable[[View], View]:
    """A page for everybody; `reason` says why it may be."""

    def decorate(view: View) -> View:
        return _declared(login_not_required(view), Rule("public", reason=reason))

    return decorate


def _declared(view: View, rule: Rule) -> View:
    view.access = rule  # type: ignore[attr-defined]
    return view


def _membership_of(user: User, slug: str) -> Membership:
    for membership in user.belongs_to:
        if membership.organization.slug == slug:
            return membership
    raise Http404


def _check_duty(membership: Membership, duty: Duty | None) -> None:
    if duty and not duty.belongs_to(membership):
        raise NotAllowed(
            f"Your role in {membership.organization} is {membership.role_label}, "
            "which does not allow this.",
            next_step="Ask an owner of your organization.",
        )


def _wrong_side(party: Party, side: Side) -> str:
    if side is Side.CUSTOMER and party.is_on_both_sides:
        return (
            f"You also belong to {party.connection.provider}, who sent this. "
            f"Somebody else at {party.connection.customer} has to decide."
        )
    end = party.connection.provider if side is Side.PROVIDER else party.connection.customer
    return f"Only {end} can do this."


def _answer(
    view: View,
    refused: View | None,
    request: HttpRequest,
    visitor: Party | Membership,
    **kwargs: Any,
) -> HttpResponseBase:
    """What the view says, or the page that shows its refusal in place, if there is one."""
    if refused is None:
        return view(request, visitor, **kwargs)
    try:
        return view(request, visitor, **kwargs)
    except DomainError as refusal:
        page = refused(request, visitor, **kwargs, refusal=refusal)
        page.status_code = refusal.status
        return page
