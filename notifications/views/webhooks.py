"""Where the mail service reports what came back."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections.access import public_view
from notifications.bouncing import BadSignature, Unreadable, receive

MOST_BYTES = 64 * 1024

log = logging.getLogger(__name__)


@public_view("The mail service reports here. Its signature lets it in, not a session.")
@csrf_exempt
@require_POST
def receive_report(request: HttpRequest) -> HttpResponse:
    """204 for what was signed, also when it comes again or tells of nothing that is ours."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        receive(request.body, request.headers, at=timezone.now())
    except (BadSignature, Unreadable) as reason:
        log.warning("A report about mail was refused: %s", reason)
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
