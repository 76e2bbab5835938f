"""What is done with a ticket: submitting, writing, triage, escalating and taking back."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from connections.access import Duty, Party, Side, party_view
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page
from tickets.forms import EscalationForm, MessageForm, StandingForm, TicketForm
from tickets.keeping import kept
from tickets.models import Audience, Ticket
from tickets.seats import Seat, seat_of

from .conversation import show, url_of, with_people


@party_view(side=Side.CUSTOMER, duty=Duty.SUPPORT)
def submit_ticket(request: HttpRequest, party: Party) -> HttpResponse:
    """The form of a new ticket."""
    form = TicketForm(*_typed(request))
    if form.is_valid() and (ticket := _submit(party, form)):
        sentence = f"{party.counterparty} has your ticket {ticket.reference} now."
        return done(request, sentence, url_of(Seat.of_customer(ticket, party)))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    fragment = "tickets/_new_form.html"
    return page(request, "tickets/new.html", {"form": form}, fragment=fragment, status=status)


def _submit(party: Party, form: TicketForm) -> Ticket | None:
    given = dict(form.cleaned_data)
    try:
        with kept(given.pop("attachments")) as files:
            return Ticket.submit(
                party.connection, files=files, by=party.user, at=clock.now(), **given
            )
    except Invalid as refusal:
        refuse(form, refusal)
    except DomainError as refusal:
        form.add_error(None, f"{refusal} {refusal.next_step}")
    return None


@party_view(duty=Duty.SUPPORT)
@require_POST
def write(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """A message: to everybody, a note, or between the Partner and Revampd."""
    seat = seat_of(party, ticket_id)
    form = MessageForm(seat, *_typed(request))
    status = _write(seat, form) if form.is_valid() else HTTPStatus.UNPROCESSABLE_ENTITY
    if status == HTTPStatus.OK:
        return _written(request, seat)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"seat": seat, "ticket": seat.ticket, "form": form}
        return page(request, "tickets/_write.html", context, status=status)
    return show(request, party, ticket_id, status=status, form=form)


def _write(seat: Seat, form: MessageForm) -> int:
    """The status of the answer. A refusal stands in the form, where what was typed is kept."""
    given, ticket = form.cleaned_data, seat.ticket
    verbs: dict[str, Any] = {
        Audience.EVERYONE: ticket.reply,
        Audience.ESCALATION: ticket.consult,
        Audience.INTERNAL: ticket.note,
    }
    who = {"side": seat.side, "by": seat.party.user, "at": clock.now()}
    try:
        with kept(given["attachments"]) as files:
            verbs[given["audience"]](given["body"], files=files, key=given["key"], **who)
    except Invalid as refusal:
        refuse(form, refusal)
        return refusal.status
    except DomainError as refusal:
        form.add_error(None, f"{refusal} {refusal.next_step}")
        return refusal.status
    return HTTPStatus.OK


def _written(request: HttpRequest, seat: Seat) -> HttpResponse:
    """An empty form again; the thread asks for what is new by itself."""
    context = {"seat": seat, "ticket": seat.ticket, "form": MessageForm(seat)}
    to = f"{url_of(seat)}#write"
    answer = done(request, "Sent.", to, fragment="tickets/_write.html", context=context)
    return trigger_client_event(answer, "news:check", after="settle")


@party_view(side=Side.PROVIDER, duty=Duty.SUPPORT, refused=show)
@require_POST
def change_standing(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """Status, priority and who looks after it; what stays as it is, is left alone."""
    seat = with_people(party, ticket_id)
    form = StandingForm(seat, request.POST)
    if not form.is_valid():
        return show(request, party, ticket_id, standing=form)
    seat.ticket.triage(**form.changes, side=seat.side, by=party.user, at=clock.now())
    return done(request, "Saved.", url_of(seat))


@party_view(side=Side.CUSTOMER, duty=Duty.SUPPORT, refused=show)
@require_POST
def resolve(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    """The customer says that it is done."""
    seat = seat_of(party, ticket_id)
    seat.ticket.set_status(Ticket.Status.RESOLVED, side=seat.side, by=party.user, at=clock.now())
    return done(request, "Resolved. A reply opens it again.", url_of(seat))


@party_view(side=Side.PROVIDER, duty=Duty.SUPPORT, refused=show)
@require_POST
def escalate(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    seat = seat_of(party, ticket_id)
    form = EscalationForm(request.POST)
    if not form.is_valid():
        return show(request, party, ticket_id, escalation=form)
    seat.ticket.escalate(form.cleaned_data["body"], by=party.user, at=clock.now())
    sentence = (
        f"Revampd reads this ticket now. {seat.ticket.connection.customer} sees no difference."
    )
    return done(request, sentence, url_of(seat))


@party_view(side=Side.PROVIDER, duty=Duty.SUPPORT, refused=show)
@require_POST
def take_back(request: HttpRequest, party: Party, ticket_id: UUID) -> HttpResponse:
    seat = seat_of(party, ticket_id)
    seat.ticket.take_back(by=party.user, at=clock.now())
    return done(request, "The ticket is yours alone again. Revampd reads no further.", url_of(seat))


def _typed(request: HttpRequest) -> tuple[Any, ...]:
    """What was sent, for a form; nothing for one that is only shown."""
    return (request.POST, request.FILES) if request.method == "POST" else ()
