"""Tickets for staff: read, and acted on by the verbs that the pages call.

Staff answer what Revampd is asked itself, and what Partners have escalated to it. The notes of
Partners are none of theirs (docs/decisions/0016).
"""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from connections.clocks import clock_of_connection
from connections.models import User
from revampd.kit import clock
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import ReadOnlyAdmin, Waiting, WaitingFilter

from .forms import Triage
from .models import Attachment, Audience, Message, Side, Ticket, Unread
from .models.messages import BODY_LENGTH
from .models.records import ESCALATED, Status
from .seats import READ_WITH


class AnswerForm(forms.Form):
    """A message of Revampd, at first for itself alone."""

    audience = forms.ChoiceField(initial=Audience.INTERNAL, widget=forms.RadioSelect)
    body = forms.CharField(label="Message", max_length=BODY_LENGTH, widget=forms.Textarea)

    def __init__(self, side: str, data: Any = None) -> None:
        super().__init__(data)
        field: Any = self.fields["audience"]
        own = [one for one in Audience if side == Side.REVAMPD or one != Audience.ESCALATION]
        field.choices = [(one.value, one.label) for one in own]


class TriageForm(Triage):
    """For staff: one of Revampd looks after it."""

    assignee = forms.ModelChoiceField(User.objects.none(), required=False, show_hidden_initial=True)

    def __init__(self, ticket: Ticket, side: str, data: Any = None) -> None:
        mine = ticket.revampd_assignee if side == Side.REVAMPD else ticket.assignee
        initial = {"status": ticket.status, "priority": ticket.priority, "assignee": mine}
        super().__init__(data, initial=initial)
        ours = Q(is_staff=True) | Q(memberships__organization__kind="PLATFORM")
        people = User.objects.filter(ours).distinct().order_by("name")
        self.fields["assignee"].queryset = people  # type: ignore[attr-defined]
        if side == Side.REVAMPD:
            del self.fields["status"], self.fields["priority"]


UNDER_WAY = (Status.OPEN, Status.IN_PROGRESS)


def _unassigned(rows: Any) -> Any:
    """Those that are Revampd's to answer, and that no one there has."""
    own = Q(connection__provider_kind="PLATFORM", assignee=None)
    return rows.filter(own | ESCALATED & Q(revampd_assignee=None), status__in=UNDER_WAY)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = (
        *("reference", "title", "connection", "status", "priority"),
        *("assignee", "revampd_assignee", "opened_at", "provider_at"),
    )
    waiting = {
        "unassigned": Waiting(
            "Tickets for Revampd that nobody looks after", "opened_at", _unassigned
        ),
        "escalated": Waiting(
            "Tickets that Partners have escalated",
            "provider_at",
            lambda rows: rows.filter(ESCALATED, status__in=UNDER_WAY),
        ),
    }
    list_filter = (
        WaitingFilter,
        *("status", "priority", "provider__kind", "escalated_over__provider__kind"),
    )
    list_select_related = (
        *("connection__provider", "connection__customer"),
        *("assignee", "revampd_assignee"),
    )
    search_fields = ("id", "title", "provider__name", "connection__customer__name")
    ordering = ("-provider_at",)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:ticket_id>/answer/", view(self.answer), name="answer-ticket"),
            path("<uuid:ticket_id>/triage/", view(self.triage), name="triage-ticket"),
            *super().get_urls(),
        ]

    def answer(self, request: HttpRequest, ticket_id: UUID) -> HttpResponse:
        """Write in a ticket, for Revampd."""
        ticket, side = _ours(ticket_id)
        form = AnswerForm(side, request.POST or None)

        def write() -> str:
            verbs = {
                Audience.EVERYONE: ticket.reply,
                Audience.ESCALATION: ticket.consult,
                Audience.INTERNAL: ticket.note,
            }
            given = form.cleaned_data
            with clock_of_connection(ticket.connection):
                verbs[given["audience"]](given["body"], **_who(request, side))
            return f"Your message is in {ticket}."

        return act_page(self, request, _act(ticket, "Answer", "Send"), form, write)

    def triage(self, request: HttpRequest, ticket_id: UUID) -> HttpResponse:
        """Say how it stands, how urgent it is and who looks after it."""
        ticket, side = _ours(ticket_id)
        form = TriageForm(ticket, side, request.POST or None)

        def triage() -> str:
            with clock_of_connection(ticket.connection):
                ticket.triage(**form.changes, **_who(request, side))
            return f"{ticket} is {ticket.get_status_display().lower()}."

        return act_page(self, request, _act(ticket, "Triage", "Save"), form, triage)


def _ours(ticket_id: UUID) -> tuple[Ticket, str]:
    """A ticket, and from which side staff answer it. Raises PermissionDenied, Http404."""
    rows: Any = Ticket.objects.select_related(*READ_WITH)
    ticket: Ticket = get_object_or_404(rows, pk=ticket_id)
    if ticket.connection.is_self_service:
        return ticket, Side.PROVIDER
    if ticket.is_escalated:
        return ticket, Side.REVAMPD
    raise PermissionDenied


def _who(request: HttpRequest, side: str) -> dict[str, Any]:
    return {"side": side, "by": request.user, "at": clock.now()}


def _act(ticket: Ticket, title: str, submit: str) -> Act:
    own = ticket.connection
    words = f"{own.customer} asked {own.provider}: {ticket.title}"
    back = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    return Act(f"{title} {ticket.reference}", words, submit, back)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "position", "kind", "side", "audience", "author", "body", "at")
    list_filter = ("kind", "audience", "side")
    list_select_related = ("ticket", "author")
    search_fields = ("=ticket__id", "ticket__title")
    ordering = ("-at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.visible_to_staff()


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "size", "message", "digest")
    list_select_related = ("message",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.visible_to_staff()


@admin.register(Unread)
class UnreadAdmin(ReadOnlyAdmin):
    list_display = ("user", "ticket", "organization", "since")
    list_select_related = ("user", "ticket", "organization")
    ordering = ("-id",)
