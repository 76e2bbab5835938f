"""The link of an invitation: it shows who invites to what, and joining is one press."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from connections.access import MemberRequest, personal_view, public_view
from connections.clocks import clock_of_organization
from connections.models import Invitation, User
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page


@public_view("Whom it invites may have no account yet; it shows and never acts.")
@require_safe
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """What the invitation offers to whom, and what its reader can do with it."""
    invitation = _named_by(token)
    with clock_of_organization(invitation.sender):
        refusal = invitation.refusal_of(_reader(request), at=clock.now())
        return _show(request, token, invitation, refusal)


@personal_view
@require_POST
def accept_invitation(request: MemberRequest, token: str) -> HttpResponse:
    """Join. The invitation must have gone to the reader's own address."""
    invitation = _named_by(token)
    with clock_of_organization(invitation.sender):
        try:
            membership = invitation.accept(by=request.user, at=clock.now())
        except DomainError as refusal:
            return _show(request, token, invitation, refusal, status=refusal.status)
    sentence = f"Welcome to {membership.organization}. Your role: {membership.role_label}."
    return done(request, sentence, reverse("home"))


def _named_by(token: str) -> Invitation:
    try:
        return Invitation.objects.of_token(token)
    except Invitation.DoesNotExist:
        raise Http404 from None


def _reader(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _show(
    request: HttpRequest,
    token: str,
    invitation: Invitation,
    refusal: DomainError | None,
    status: int = 0,
) -> HttpResponse:
    """The page of an invitation. A closed one is gone (410), one of somebody else's is 403."""
    context = {
        "token": token,
        "invitation": invitation,
        "refusal": refusal,
        "is_open": invitation.is_open(clock.now()),
        "has_joined": request.user == invitation.accepted_by,
        "has_account": User.objects.filter(email__iexact=invitation.email).exists(),
    }
    if refusal and not status:
        status = refusal.status if context["is_open"] else HTTPStatus.GONE
    return page(request, "connections/invitation.html", context, status=status or 200)
