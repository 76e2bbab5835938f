"""What happened, and of what nobody has been told yet."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from connections.kinds import KINDS, in_words, kind_of
from connections.models import Event, Outbox
from revampd.kit.admin import ReadOnlyAdmin, Waiting, WaitingFilter, call_verb


class CodeFilter(admin.SimpleListFilter):
    """By kind, from the list of kinds: the rows are too many to ask which there are."""

    title = "kind"
    parameter_name = "code"

    def lookups(self, *_: object) -> list[tuple[str, str]]:
        return [(code, code) for code in sorted(KINDS)]

    def queryset(self, _request: HttpRequest, events: QuerySet[Event]) -> QuerySet[Event]:
        return events.filter(code=self.value()) if self.value() else events


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "code", "actor", "in_words", "organization", "connection")
    list_filter = (CodeFilter, "organization__kind")
    list_select_related = ("actor", "organization", "connection__provider", "connection__customer")
    search_fields = ("=subject_id", "=actor__email", "organization__name")
    date_hierarchy = "at"
    ordering = ("-id",)

    @admin.display(description="what happened")
    def in_words(self, event: Event) -> str:
        return in_words(kind_of(event).sentence, event)


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    """What nobody has been told yet. A row with a problem waits until it is released."""

    waiting = {
        "set-aside": Waiting(
            "Events of which nobody could be told",
            "event__recorded_at",
            lambda rows: rows.exclude(problem=""),
        )
    }
    list_filter = (WaitingFilter,)
    list_display = ("event_link", "recorded_at", "problem")
    list_select_related = ("event",)
    search_fields = ("event__code", "problem")
    ordering = ("event_id",)
    actions = ("release",)

    @admin.display(description="event")
    def event_link(self, waiting: Outbox) -> str:
        url = reverse("admin:connections_event_change", args=[waiting.event_id])
        return format_html('<a href="{}">{}</a>', url, waiting.event)

    @admin.display(description="recorded")
    def recorded_at(self, waiting: Outbox) -> Any:
        return waiting.event.recorded_at

    @admin.action(description="Try again to tell", permissions=["verb"])
    def release(self, request: HttpRequest, rows: QuerySet[Outbox]) -> None:
        call_verb(request, rows, lambda row: row.release(), "{} released.")
