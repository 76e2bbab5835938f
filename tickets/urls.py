"""Tickets of a connection, below /connections/<uuid>/tickets/."""

from django.urls import path

from .views import acts, attachments, conversation, lists

app_name = "tickets"

urlpatterns = [
    path("", lists.ticket_list, name="tickets"),
    path("export/", lists.export_tickets, name="export-tickets"),
    path("new/", acts.submit_ticket, name="submit"),
    path("<uuid:ticket_id>/", conversation.ticket_page, name="ticket"),
    path("<uuid:ticket_id>/news/", conversation.ticket_news, name="news"),
    path("<uuid:ticket_id>/reading/", conversation.read_ticket, name="read"),
    path("<uuid:ticket_id>/messages/", acts.write, name="write"),
    path("<uuid:ticket_id>/standing/", acts.change_standing, name="change-standing"),
    path("<uuid:ticket_id>/resolution/", acts.resolve, name="resolve"),
    path("<uuid:ticket_id>/escalation/", acts.escalate, name="escalate"),
    path("<uuid:ticket_id>/return/", acts.take_back, name="take-back"),
    path(
        "<uuid:ticket_id>/attachments/<uuid:attachment_id>/",
        attachments.attachment,
        name="attachment",
    ),
]
