"""How a person wants to be told."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from connections.access import MemberRequest, personal_view
from notifications import bouncing
from notifications.forms import PreferencesForm
from notifications.models import Preference, Undeliverable
from revampd.kit import clock
from revampd.kit.htmx import done, page


@personal_view
def choose_preferences(request: MemberRequest) -> HttpResponse:
    """What is told how, category by category; POST saves it."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, reader=request.user)
    if form.is_valid():
        Preference.choose(request.user, form.choices, at=clock.now(), hour=form.hour)
        return done(request, "Your choice is saved.", reverse("notifications:preferences"))
    context = {"form": form, "bouncing": Undeliverable.at(request.user.email)}
    status = 422 if form.errors else 200
    return page(request, "notifications/preferences.html", context, status=status)


@personal_view
@require_POST
def try_address(request: MemberRequest) -> HttpResponse:
    """Their address takes mail again, they say."""
    user = request.user
    if bouncing.try_address(user.email, by=user, at=clock.now()):
        sentence = f"Mail goes to {user.email} again, with what was held back."
    else:
        sentence = f"Nothing is held back from {user.email}."
    return done(request, sentence, reverse("notifications:preferences"))
