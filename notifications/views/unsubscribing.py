"""The link at the foot of a mail: looking at it does nothing, pressing ends mail of that kind."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from connections.access import public_view
from notifications.models import Channel, Manner, Preference
from notifications.routing import heard_by
from notifications.tokens import unsubscription
from revampd.kit import clock


@public_view("Whoever reads the mail may end it, signed in or not. The link is signed.")
@csrf_exempt
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """GET asks. POST ends it, also when a mail program presses in its reader's stead (RFC 8058)."""
    found = unsubscription(signed)
    if found is None:
        raise Http404
    person, categories = found
    heard = [one for one in heard_by(person.belongs_to) if one.category in categories]
    optional = [one.category for one in heard if one.is_optional]
    is_done = request.method == "POST"
    if is_done:
        ended = {(one.value, Channel.MAIL.value): Manner.OFF.value for one in optional}
        Preference.choose(person, ended, at=clock.now())
    context = {"categories": optional, "heard": heard, "is_done": is_done, "address": person.email}
    return render(request, "notifications/unsubscribe.html", context)
