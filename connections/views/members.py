"""The members of an organization: who belongs to it, and with which role."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from connections.access import Duty, organization_view
from connections.forms import InviteForm, RoleForm
from connections.models import Invitation, Membership
from revampd.kit import clock
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page

PAGE = 50
ORDERS: dict[str, list[Any]] = {
    "name": [Lower("user__name"), "id"],
    "-name": [Lower("user__name").desc(), "id"],
    "role": ["role", Lower("user__name"), "id"],
    "-role": ["-role", Lower("user__name"), "id"],
    "joined": ["joined_at", "id"],
    "-joined": ["-joined_at", "id"],
}


@organization_view
@require_safe
def members_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Everybody who belongs, or (?show=invitations) everybody who is invited."""
    return team_page(request, membership, show=request.GET.get("show", ""))


def team_page(
    request: HttpRequest,
    membership: Membership,
    *,
    form: forms.Form | None = None,
    show: str = "",
    status: int = 200,
) -> HttpResponse:
    """The members page; `form` is the invitation that was filled in, if it was."""
    context = team(request, membership, show=show, form=form)
    fragment = "connections/_team.html"
    return page(request, "connections/members.html", context, fragment=fragment, status=status)


def team(
    request: HttpRequest, membership: Membership, *, show: str, form: forms.Form | None = None
) -> dict[str, Any]:
    """What `_team.html` shows: a page of members or of invitations, and the invitation form."""
    organization = membership.organization
    invited = Invitation.objects.to_colleagues_of(organization).pending()
    shows_invitations = show == "invitations"
    listed = _newest(invited) if shows_invitations else _found(request, membership)
    return {
        "page": Paginator(listed, PAGE).get_page(request.GET.get("page")),
        "shows_invitations": shows_invitations,
        "members": organization.memberships.count(),
        "invited": invited.count(),
        "q": request.GET.get("q", ""),
        "now": clock.now(),
        "form": form or (InviteForm() if membership.may_manage else None),
    }


def _newest(invited: Any) -> Any:
    return invited.select_related("invited_by").order_by("-invited_at", "id")


def _found(request: HttpRequest, membership: Membership) -> Any:
    members = membership.organization.memberships.select_related("user")
    if text := request.GET.get("q", "").strip()[:80].replace("\0", ""):
        members = members.filter(Q(user__name__icontains=text) | Q(user__email__icontains=text))
    return members.order_by(*ORDERS.get(request.GET.get("sort", ""), ORDERS["name"]))


def member_page(
    request: HttpRequest,
    membership: Membership,
    *,
    membership_id: int,
    form: forms.Form | None = None,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    """One member as owners see them: another role, or the end of the membership."""
    member = _member(membership, membership_id)
    context = {
        "member": member,
        "form": form or RoleForm(initial={"role": member.role}),
        "looks_after": member.connections_owned().count(),
        "is_self": member.pk == membership.pk,
        "refusal": refusal,
    }
    return page(request, "connections/member.html", context, status=status)


@organization_view(duty=Duty.MANAGE, refused=member_page)
def change_role(request: HttpRequest, membership: Membership, membership_id: int) -> HttpResponse:
    """GET shows the member, POST gives them another role."""
    if request.method != "POST":
        return member_page(request, membership, membership_id=membership_id)
    member = _member(membership, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return member_page(request, membership, membership_id=membership_id, form=form, status=422)
    member.change_role(form.cleaned_data["role"], by=membership.user)
    return done(request, f"{member.user} is {member.role_label} now.", _members_url(membership))


@organization_view(duty=Duty.MANAGE, refused=member_page)
@require_POST
def remove_member(request: HttpRequest, membership: Membership, membership_id: int) -> HttpResponse:
    """End a membership, also one's own: then there is nothing more to see here."""
    member = _member(membership, membership_id)
    is_self = member.pk == membership.pk
    member.end(by=membership.user)
    organization = membership.organization
    if is_self:
        return done(request, f"You have left {organization}.", reverse("home"))
    sentence = f"{member.user} no longer belongs to {organization}."
    return done(request, sentence, _members_url(membership))


def _member(membership: Membership, membership_id: int) -> Membership:
    members = membership.organization.memberships.select_related("user", "organization")
    return get_object_or_404(members, pk=membership_id)


def _members_url(membership: Membership) -> str:
    return reverse("connections:members", args=[membership.organization.slug])
