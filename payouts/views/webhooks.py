"""Where gateways report of payouts."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.views.webhooks import let_in
from connections.access import public_view
from payouts.webhooks import INBOX


@public_view("A payment gateway reports here. Its signature lets it in, not a session.")
@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    return let_in(request, INBOX, gateway)
