"""What an organization is called and where it is."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.access import Duty, organization_view
from connections.forms import SettingsForm
from connections.models import Event, Membership
from connections.timeline import timeline
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page

HISTORY = 10


def details_page(
    request: HttpRequest,
    membership: Membership,
    *,
    form: forms.Form | None = None,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The details with their history: a form for owners, facts for everybody else."""
    organization = membership.organization
    history = Event.objects.about(organization).with_actors().newest_first()[:HISTORY]
    context = {
        "form": form or SettingsForm.of(organization),
        "entries": timeline(history),
        "refusal": refusal,
    }
    return page(request, "connections/settings.html", context, status=status)


@organization_view
@require_safe
def settings_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Every member reads them."""
    return details_page(request, membership)


@organization_view(duty=Duty.MANAGE, refused=details_page)
def change_details(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Save what an owner typed."""
    if request.method != "POST":
        return details_page(request, membership)
    organization = membership.organization
    form = SettingsForm.of(organization, request.POST)
    if not form.is_valid():
        return details_page(request, membership, form=form, status=422)
    organization.change_details(by=membership.user, **form.cleaned_data)
    to = reverse("connections:settings", args=[organization.slug])
    return done(request, "The settings are saved.", to)
