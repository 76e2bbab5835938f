"""One ticket: its conversation, what is new in it, and that somebody has read it."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connections.access import Party, party_view
from connections.models import Membership
from revampd.kit.errors import DomainError
from revampd.kit.htmx import done, page
from tickets.forms import EscalationForm, MessageForm, StandingForm
from tickets.models import Ticket, Unread
from tickets.prior import prior
from tickets.seats import READ_WITH, Seat, seat_of, seated
from tickets.thread import SHOWN, earlier, entries, offers


@party_view
@require_GET
def ticket_page(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    return show(request, party, ticket_id)


def show(
    request: HttpRequest,
    party: Party,
    ticket_id: UUID,
    refusal: DomainError | None = None,
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
    **forms: Any,
) -> HttpResponse:
    """The ticket with everything around it. It also answers an act that was refused.

    `forms` are those that were sent with something wrong in them, answered with `status`.
    """
    seat = with_people(party, ticket_id)
    hidden = 0 if "all" in request.GET else earlier(seat)
    context: dict[str, Any] = {
        "seat": seat,
        "ticket": seat.ticket,
        "entries": entries(seat, after=hidden),
        "hidden": hidden,
        "prior": prior(seat),
        "shown": SHOWN,
        "form": MessageForm(seat) if seat.may_write else None,
        "standing": StandingForm(seat) if seat.may_change else None,
        "escalation": EscalationForm() if seat.may_escalate else None,
        "refusal": refusal,
    }
    status = status if forms else HTTPStatus.OK
    return page(request, "tickets/detail.html", context | forms, status=status)


def with_people(party: Party, ticket_id: UUID) -> Seat:
    """The seat, with who could look after the ticket and whether it is unread, in one query."""
    members = Membership.objects.filter(organization=party.organization.pk)
    named = JSONObject(pk="user", name="user__name")
    people = members.order_by("user__name", "pk").values(json=named)
    unread = Unread.objects.of(party.user).filter(ticket=OuterRef("pk"))
    rows: Any = Ticket.objects.annotate(people=ArraySubquery(people), is_unread=Exists(unread))
    return seated(rows.select_related(*READ_WITH), party, ticket_id)


@party_view
@require_GET
def ticket_news(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """204 while there is nothing new, else what came after the messages that the page shows.

    What came may have decided an offer above: those are shown as they stand now.
    Asked for every ten seconds by every open ticket: until something is new it reads one row.
    """
    seat, seen = seat_of(party, ticket_id), number(request.GET.get("seen", ""))
    if seen is None or seen == seat.length:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    news = entries(seat, after=seen)
    context = {"seat": seat, "ticket": seat.ticket, "entries": news, "is_news": True}
    context["offers"] = offers(seat, news, request.GET.getlist("pending"))
    return render(request, "tickets/_news.html", context)


@party_view
@require_POST
def read_ticket(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """Whoever looks has read what the page shows."""
    seat = seat_of(party, ticket_id)
    until = number(request.POST.get("until", ""))
    if until is not None:
        seat.ticket.read(side=seat.side, by=party.user, until=until)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return done(request, "Marked as read.", url_of(seat))


def url_of(seat: Seat) -> str:
    """The ticket's page, from this seat."""
    return reverse("tickets:ticket", args=[seat.party.connection.pk, seat.ticket.pk])


def number(text: str) -> int | None:
    """How many messages a page says that it shows; None for what is no such number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
