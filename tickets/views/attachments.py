"""Files of tickets: through the door, and as downloads only."""

from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from connections.access import Party, party_view
from tickets.models import Attachment
from tickets.seats import seat_of

# Should a browser show it all the same: no script, no form, nothing from anywhere, no origin.
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


@party_view
@require_GET
def attachment(
    _request: HttpRequest, party: Party, ticket_id: UUID, attachment_id: UUID
) -> StreamingHttpResponse:
    """The content, in pieces, under the media type that was found in it and never as a page."""
    seat = seat_of(party, ticket_id)
    rows = Attachment.objects.visible_to(seat.side).filter(message__ticket=seat.ticket)
    found: Attachment = get_object_or_404(rows, pk=attachment_id)
    if not found.is_there:
        raise Http404
    kind = "text/plain; charset=utf-8" if found.kind == "text/plain" else found.kind
    response = StreamingHttpResponse(found.pieces(), content_type=kind)
    response["Content-Disposition"] = str(content_disposition_header(True, found.name))
    response["Content-Length"] = str(found.size)
    response["Content-Security-Policy"] = POLICY
    return response
