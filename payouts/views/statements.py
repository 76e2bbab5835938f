"""The statement of a payout: the stored file as the payout stands, or a page that waits for it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from billing.views.documents import WAITING, download
from connections.access import Party
from payouts.access import payout_view
from payouts.events import STATEMENT_TASK
from revampd.kit.doorbell import ring_on_commit
from revampd.kit.htmx import page, wants_fragment

from .payouts import find_payout


@payout_view()
@require_GET
def statement(request: HttpRequest, party: Party, payout_id: UUID) -> HttpResponse:
    payout = find_payout(party, payout_id)
    stored = payout.statements.filter(as_of=payout.changed_at).first()
    if stored:
        stored.payout = payout
    if stored and not wants_fragment(request):
        return download(request, stored.file_name, stored, stored.content_type)
    if not stored:
        ring_on_commit(STATEMENT_TASK, str(payout.pk))
    back = reverse("payouts:payout", args=[party.connection.pk, payout.pk])
    name = stored.file_name if stored else ""
    context = {"subject": payout, "back": back, "document": stored, "name": name}
    return page(request, "payouts/statement.html", context, fragment=WAITING)
