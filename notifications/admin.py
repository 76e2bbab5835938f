"""Who was told of what, and what became of the mails, for staff."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from revampd.kit.admin import ReadOnlyAdmin, Waiting, WaitingFilter, call_verb

from .bouncing import try_address
from .models import (
    Delivery,
    Digest,
    DigestHour,
    Notification,
    OrganizationDefault,
    Preference,
    Undeliverable,
)
from .models.mails import FAILURES

if TYPE_CHECKING:
    from connections.models import User

RECENT = timedelta(days=30)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """The record of who was told; it never changes but for the moment of reading."""

    list_display = ("created_at", "title", "recipient", "organization", "category", "read_at")
    list_filter = (
        *("category", "side", "organization__kind"),
        ("read_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("recipient", "organization")
    search_fields = ("=recipient__email", "organization__name", "title")
    date_hierarchy = "created_at"
    ordering = ("-id",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The mails. One that failed keeps its reason and can be sent again."""

    list_display = (
        *("address", "about", "state", "attempts"),
        *("due_at", "sent_at", "reason"),
    )
    waiting = {
        "failed": Waiting(
            "Mails that did not arrive within 30 days",
            "due_at",
            lambda rows: rows.filter(state__in=FAILURES, due_at__gt=timezone.now() - RECENT),
        )
    }
    list_filter = (WaitingFilter, "state", "organization__kind")
    list_select_related = ("event", "notification")
    search_fields = ("=address", "reason", "=id")
    date_hierarchy = "due_at"
    ordering = ("-due_at", "id")
    actions = ("send_again",)

    @admin.display(description="about")
    def about(self, delivery: Delivery) -> str:
        return delivery.about

    @admin.action(description="Send again", permissions=["verb"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        staff: User = request.user  # type: ignore[assignment]
        now = timezone.now()
        call_verb(request, deliveries, lambda d: d.send_again(by=staff, at=now), "{} queued again.")


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    """The daily summaries; what became of each stands among the deliveries."""

    list_display = ("day", "recipient")
    list_select_related = ("recipient",)
    search_fields = ("=recipient__email",)
    date_hierarchy = "day"
    ordering = ("-day", "recipient")


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """Why somebody is not told: their own choice. Nobody makes it for them."""

    list_display = ("person", "category", "channel", "manner")
    list_filter = ("category", "channel", "manner")
    list_select_related = ("person",)
    search_fields = ("=person__email",)
    ordering = ("person", "category", "channel")


@admin.register(OrganizationDefault)
class OrganizationDefaultAdmin(ReadOnlyAdmin):
    """What organizations suggest to their members."""

    list_display = ("organization", "category", "channel", "manner")
    list_filter = ("category", "channel", "manner")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    ordering = ("organization", "category", "channel")


@admin.register(DigestHour)
class DigestHourAdmin(ReadOnlyAdmin):
    """When summaries go out, where it is not the usual hour."""

    list_display = ("person", "hour")
    list_select_related = ("person",)
    search_fields = ("=person__email",)
    ordering = ("person",)


@admin.register(Undeliverable)
class UndeliverableAdmin(ReadOnlyAdmin):
    """Addresses to which nothing is sent until somebody tries again."""

    list_display = ("address", "since", "reason")
    search_fields = ("=address", "reason")
    date_hierarchy = "since"
    ordering = ("-since",)
    actions = ("try_again",)

    @admin.action(description="Try again", permissions=["verb"])
    def try_again(self, request: HttpRequest, marks: QuerySet[Undeliverable]) -> None:
        staff: User = request.user  # type: ignore[assignment]
        now = timezone.now()
        call_verb(
            request,
            marks,
            lambda mark: try_address(mark.address, by=staff, at=now),
            "{} tried again.",
        )
