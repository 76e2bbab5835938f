"""A person's own name and time zone."""

from django.http import HttpResponse
from django.urls import reverse

from connections.access import MemberRequest, personal_view
from connections.forms import ProfileForm
from revampd.kit.htmx import done, page


@personal_view
def profile_page(request: MemberRequest) -> HttpResponse:
    """The form; POST saves it."""
    form = ProfileForm.of(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        request.user.change_profile(**form.cleaned_data)
        return done(request, "Your profile is saved.", reverse("connections:profile"))
    status = 422 if form.errors else 200
    return page(request, "connections/profile.html", {"form": form}, status=status)
