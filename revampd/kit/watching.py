"""What every request is measured by: one log line, one count, one duration, and an id for it."""

import logging
import re
import uuid
from collections.abc import Callable
from time import monotonic

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from revampd.kit.logs import route_of
from revampd.kit.metrics import REQUEST_SECONDS, REQUESTS

METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
FAIR_ID = re.compile(r"[\w-]{8,64}", re.ASCII)

log = logging.getLogger("revampd.requests")


class Watched:
    """The outermost layer: whatever happens to a request, it is seen here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = monotonic()
        request.id = id_of(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        seconds = monotonic() - begun
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        method = str(request.method) if request.method in METHODS else "(other)"
        route, status = route_of(request), response.status_code
        REQUESTS.labels(method, route, str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(seconds)
        # Files that lie ready have no route: nobody looks for them in the log.
        level = logging.DEBUG if route == "(none)" and status < 400 else logging.INFO
        if log.isEnabledFor(level):
            ms = round(seconds * 1000, 1)
            seen = {"request": request, "method": method, "route": route, "ms": ms}
            more = {**seen, "status": status, "status_code": status}
            log.log(level, "%s %s %s", method, route, status, extra=more)
        return response


def id_of(request: HttpRequest) -> str:
    """The proxy's id of the request, where a proxy is believed; otherwise one of our own."""
    given = request.headers.get("X-Request-ID", "")
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT and FAIR_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex
