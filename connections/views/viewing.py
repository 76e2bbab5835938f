"""The end of looking as somebody else. It begins in the admin."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from connections import viewing
from connections.access import MemberRequest, personal_view
from revampd.kit import clock
from revampd.kit.htmx import done


@personal_view
@require_POST
def end_viewing(request: MemberRequest) -> HttpResponse:
    """Be oneself again, on the page of the person one looked as."""
    looked = viewing.looking(request)
    if looked is None:
        return done(request, "You are yourself already.", reverse("home"))
    viewing.end(request, at=clock.now())
    back = reverse("admin:connections_user_change", args=[looked.person_id])
    return done(request, f"You no longer look as {looked.person}.", back)
