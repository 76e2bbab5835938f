from django.http import HttpRequest, HttpResponse

from connections.access import public_view


@public_view("A load balancer asks whether the process lives.")
def health(request: HttpRequest) -> HttpResponse:
    """The process answers; it says nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


def home(request):
    return HttpResponse("home")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(reason, status=403)
