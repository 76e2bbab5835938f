"""A Partner invites a Sub-Org."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connections.access import Duty, organization_view
from connections.forms import InviteSubOrgForm
from connections.models import Invitation, Membership, Organization
from revampd.kit import clock
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

PAGE = 50


@organization_view(duty=Duty.MANAGE, kinds=(Organization.Kind.PARTNER,))
def invite_sub_org(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The form, what happens after sending it, and who has not answered yet."""
    partner = membership.organization
    form = InviteSubOrgForm(request.POST or None, provider=partner)
    if request.method == "POST" and form.is_valid():
        try:
            sent = _send(form.cleaned_data, membership)
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            sentence = f"{sent.organization} is invited. The mail goes to {sent.email}."
            return done(request, sentence, reverse("sub-orgs", args=[partner.slug]))
    context = {"form": form, "page": _waiting(request, partner), "now": clock.now()}
    status = 422 if form.errors else 200
    return page(request, "connections/invite_sub_org.html", context, status=status)


def _send(details: dict[str, Any], membership: Membership) -> Invitation:
    return Invitation.send_to_customer(
        provider=membership.organization,
        name=details["name"],
        email=details["email"],
        owners={field: details[field] for field in ("sales_owner", "support_owner")},
        by=membership.user,
        at=clock.now(),
    )


def _waiting(request: HttpRequest, partner: Organization) -> Any:
    invited = Invitation.objects.to_customers_of(partner).unanswered()
    listed = invited.select_related("organization", "invited_by").order_by("-invited_at", "id")
    return Paginator(listed, PAGE).get_page(request.GET.get("page"))
