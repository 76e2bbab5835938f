"""A Partner invites a Sub-Org, as far as its tier has a seat; invitations are sent again."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from billing.seats import Seats, invite, invite_again
from connections.access import Duty, organization_view
from connections.forms import InviteSubOrgForm, ResendForm
from connections.models import Invitation, Membership, Organization
from connections.views.invitations import find_sent, invitation_sent_page, list_url
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

PAGE = 50


def invite_page(
    request: HttpRequest,
    membership: Membership,
    form: InviteSubOrgForm | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    """The form, what happens after sending it, and who has not answered yet.

    It also answers an invitation that was refused, with what was typed.
    """
    partner = membership.organization
    context = {
        "form": form or InviteSubOrgForm(request.POST or None, provider=partner),
        "page": _waiting(request, partner),
        "seats": Seats.of(partner, clock.now()),
        "refusal": refusal,
        "now": clock.now(),
    }
    status = 422 if form and form.errors else 200
    return page(request, "connections/invite_sub_org.html", context, status=status)


def _waiting(request: HttpRequest, partner: Organization) -> Any:
    invited = Invitation.objects.to_customers_of(partner).unanswered()
    listed = invited.select_related("organization", "invited_by").order_by("-invited_at", "id")
    return Paginator(listed, PAGE).get_page(request.GET.get("page"))


@organization_view(duty=Duty.MANAGE, kinds=(Organization.Kind.PARTNER,), refused=invite_page)
def invite_sub_org(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invite a Sub-Org's first owner."""
    partner = membership.organization
    form = InviteSubOrgForm(request.POST or None, provider=partner)
    if form.is_valid():
        try:
            sent = _invite(form.cleaned_data, membership)
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            sentence = f"{sent.organization} is invited. The mail goes to {sent.email}."
            return done(request, sentence, reverse("sub-orgs", args=[partner.slug]))
    return invite_page(request, membership, form)


def _invite(details: dict[str, Any], membership: Membership) -> Invitation:
    return invite(
        partner=membership.organization,
        name=details["name"],
        email=details["email"],
        owners={field: details[field] for field in ("sales_owner", "support_owner")},
        by=membership.user,
        at=clock.now(),
    )


@organization_view(duty=Duty.MANAGE, refused=invitation_sent_page)
def resend_invitation(
    request: HttpRequest, membership: Membership, invitation_id: UUID
) -> HttpResponse:
    """Send a new link, to the same address unless the form names another."""
    if request.method != "POST":
        return invitation_sent_page(request, membership, invitation_id=invitation_id)
    sent = find_sent(membership, invitation_id)
    form = ResendForm(request.POST if "email" in request.POST else {"email": sent.email})
    if form.is_valid():
        try:
            again = invite_again(sent, by=membership.user, at=clock.now(), **form.cleaned_data)
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            sentence = f"A new link goes to {again.email}. The old one no longer works."
            return done(request, sentence, list_url(membership, again))
    return invitation_sent_page(
        request, membership, invitation_id=invitation_id, form=form, status=422
    )
