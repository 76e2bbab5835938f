"""The door of the admin: whoever works there has a second factor set up."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from revampd.kit.middleware import Handler

from .models import User
from .second_factor import has_second_factor


class StaffSecondFactor:
    """Leads staff without one to the page on which it is set up; nothing of the admin is shown.

    A password alone, guessed or phished, opens no other person's money. Signing in asks for the
    second factor of whoever has one, so that here it is enough that there is one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (settings.STAFF_SECOND_FACTOR and request.path.startswith(reverse("admin:index"))):
            return self.get_response(request)
        user = request.user
        if not isinstance(user, User) or not user.is_staff or has_second_factor(user):
            return self.get_response(request)
        messages.warning(request, "Staff need a second factor. Set one up, then go on.")
        return HttpResponseRedirect(reverse("mfa_index"))
