"""Where payment gateways report."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.gateways.base import BadSignature
from billing.inbox import Inbox
from billing.webhooks import INBOX
from connections.access import public_view

# Far above what any gateway sends.
MOST_BYTES = 256 * 1024

log = logging.getLogger(__name__)


@public_view("A payment gateway reports here. Its signature lets it in, not a session.")
@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    return let_in(request, INBOX, gateway)


def let_in(request: HttpRequest, inbox: Inbox, gateway: str) -> HttpResponse:
    """200 at once for what the gateway signed, also when it comes again."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        inbox.receive(gateway, request.body, request.headers, at=timezone.now())
    except BadSignature as reason:
        log.warning("A webhook of %s was refused: %s", gateway, reason)
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse()
