"""What an organization suggests to its members."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connections.access import Duty, organization_view
from connections.models import Membership
from notifications.forms import DefaultsForm
from notifications.models import OrganizationDefault
from revampd.kit import clock
from revampd.kit.htmx import done, page


@organization_view(duty=Duty.MANAGE)
def suggest_defaults(request: HttpRequest, membership: Membership) -> HttpResponse:
    """What is told how, unless a member chose otherwise; POST saves it."""
    organization = membership.organization
    data = request.POST if request.method == "POST" else None
    form = DefaultsForm(data, organization=organization)
    if form.is_valid():
        OrganizationDefault.suggest(organization, form.choices, by=membership.user, at=clock.now())
        to = reverse("organization-notifications:defaults", args=[organization.slug])
        return done(request, "Saved. Whoever chose for themselves keeps that.", to)
    status = 422 if form.errors else 200
    return page(request, "notifications/defaults.html", {"form": form}, status=status)
