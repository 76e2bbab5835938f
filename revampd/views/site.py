"""What the site itself answers, whoever asks."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from connections.access import public_view
from revampd.kit.errors import NotAllowed
from revampd.kit.readiness import ready


@public_view("A load balancer asks whether the process lives.")
def health(_request: HttpRequest) -> HttpResponse:
    """The process answers; it says nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


@public_view("A load balancer asks whether to send people here.")
def readiness(_request: HttpRequest) -> JsonResponse:
    """What this process needs, each with its state. 503 if pages cannot be answered.

    The site goes on without its broker, so that one is told of and changes nothing.
    """
    found = ready()
    status = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse(found.states, status=status)


@public_view("The answer to a form that does not come from our own page.")
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from elsewhere, or from a page that was open when the person signed out."""
    refusal = NotAllowed(
        "This form is no longer valid, so nothing was done.",
        next_step="Go back, reload the page and send it again.",
    )
    context = {"refusal": refusal, "reason": reason}
    return render(request, "refused.html", context, status=HTTPStatus.FORBIDDEN)
