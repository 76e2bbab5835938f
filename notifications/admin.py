"""Who was told of what, and what became of the mails, for staff."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from revampd.kit.admin import ReadOnlyAdmin, call_verb

from .models import Delivery, Notification

if TYPE_CHECKING:
    from connections.models import User


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
    list_filter = ("state", "event__organization__kind")
    list_select_related = ("event", "notification")
    search_fields = ("=address", "reason", "=id")
    date_hierarchy = "due_at"
    ordering = ("-due_at", "id")
    actions = ("send_again",)

    @admin.display(description="about")
    def about(self, delivery: Delivery) -> str:
        return delivery.notification.title if delivery.notification else delivery.event.code

    @admin.action(description="Send again", permissions=["verb"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        staff: User = request.user  # type: ignore[assignment]
        now = timezone.now()
        call_verb(request, deliveries, lambda d: d.send_again(by=staff, at=now), "{} queued again.")
