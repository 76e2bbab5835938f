"""Tickets for staff: read, and acted on by the verbs that the pages call."""

from django.contrib import admin

from revampd.kit.admin import ReadOnlyAdmin

from .models import Attachment, Message, Ticket, Unread


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = (
        *("reference", "title", "connection", "status", "priority"),
        *("assignee", "revampd_assignee", "opened_at", "provider_at"),
    )
    list_filter = ("status", "priority", ("escalated_over", admin.EmptyFieldListFilter))
    list_select_related = (
        *("connection__provider", "connection__customer"),
        *("assignee", "revampd_assignee"),
    )
    search_fields = ("id", "title", "provider__name", "connection__customer__name")
    ordering = ("-provider_at",)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "position", "kind", "side", "audience", "author", "at")
    list_filter = ("kind", "audience", "side")
    list_select_related = ("ticket", "author")
    ordering = ("-at",)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "size", "message", "digest")
    list_select_related = ("message",)
    ordering = ("-id",)


@admin.register(Unread)
class UnreadAdmin(ReadOnlyAdmin):
    list_display = ("user", "ticket", "organization", "since")
    list_select_related = ("user", "ticket", "organization")
    ordering = ("-id",)
