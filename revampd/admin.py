"""The demo's clock, for staff; it is not listed where no demo runs."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from revampd.kit.admin import ReadOnlyAdmin

from .models import ClockMove


@admin.register(ClockMove)
class ClockMoveAdmin(ReadOnlyAdmin):
    list_display = (
        *("started_at", "by", "connection", "start_date", "target_date"),
        *("reached_date", "finished_at", "problem"),
    )
    list_select_related = ("by", "connection__provider", "connection__customer")
    ordering = ("-started_at",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return settings.IS_DEMO and super().has_module_permission(request)
