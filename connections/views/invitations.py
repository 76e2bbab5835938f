"""Invitations as the organization that sends them sees them."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from connections.access import Duty, organization_view
from connections.forms import InviteForm, ResendForm
from connections.models import Invitation, Membership
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

from .members import team, team_page


@organization_view(duty=Duty.MANAGE)
def invite_member(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invite a colleague by e-mail."""
    if request.method != "POST":
        return team_page(request, membership)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            sent = Invitation.send(
                organization=membership.organization,
                by=membership.user,
                at=clock.now(),
                **form.cleaned_data,
            )
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            context = team(request, membership, show="invitations")
            sentence, to = f"An invitation goes to {sent.email}.", list_url(membership, sent)
            return done(request, sentence, to, fragment="connections/_team.html", context=context)
    return team_page(request, membership, form=form, status=422)


def invitation_sent_page(
    request: HttpRequest,
    membership: Membership,
    *,
    invitation_id: UUID,
    form: forms.Form | None = None,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    """One invitation that was sent: to send it again, perhaps to another address."""
    sent = find_sent(membership, invitation_id)
    context = {
        "invitation": sent,
        "form": form or ResendForm(initial={"email": sent.email}),
        "refusal": refusal,
        "back": list_url(membership, sent),
        "now": clock.now(),
    }
    return page(request, "connections/resend.html", context, status=status)


@organization_view(duty=Duty.MANAGE, refused=invitation_sent_page)
@require_POST
def withdraw_invitation(
    request: HttpRequest, membership: Membership, invitation_id: UUID
) -> HttpResponse:
    """Close the link of an invitation."""
    sent = find_sent(membership, invitation_id)
    sent.withdraw(by=membership.user, at=clock.now())
    sentence = f"The invitation to {sent.email} is withdrawn. Its link no longer works."
    return done(request, sentence, list_url(membership, sent))


def find_sent(membership: Membership, invitation_id: UUID) -> Invitation:
    sent = Invitation.objects.sent_by(membership.organization)
    related = sent.select_related("organization", "connection__provider", "invited_by")
    return get_object_or_404(related, pk=invitation_id)


def list_url(membership: Membership, sent: Invitation) -> str:
    """Where it is listed: among colleagues, or among the Partner's Sub-Orgs."""
    slug = membership.organization.slug
    if sent.connection_id:
        return reverse("invite-sub-org", args=[slug])
    return reverse("connections:members", args=[slug]) + "?show=invitations"
