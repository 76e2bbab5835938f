"""What staff watch over: runs, stopped invoices, and whether the books agree."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from billing import events
from billing.models import BillingRun, BooksCheck, Discrepancy
from revampd.kit.doorbell import ring_on_commit

from .records import PARTIES, PARTY_NAMES, RecordAdmin


@admin.register(BillingRun)
class BillingRunAdmin(RecordAdmin):
    list_display = (
        *("started_at", "on", "progress", "issued", "stopped"),
        *("finished_at", "problem"),
    )
    list_filter = (
        ("finished_at", admin.EmptyFieldListFilter),
        ("problem", admin.EmptyFieldListFilter),
    )
    search_fields = ("problem",)
    ordering = ("-started_at",)

    @admin.display(description="connections")
    def progress(self, run: BillingRun) -> str:
        share = 100 * run.done // run.connections if run.connections else 100
        return f"{run.done:,} of {run.connections:,} ({min(share, 100)} %)"


@admin.register(Discrepancy)
class DiscrepancyAdmin(RecordAdmin):
    """Invoices that were stopped. One resolves by itself, once a run finds it explained."""

    list_display = ("connection", "found", "on", "found_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "found_at")
    list_select_related = PARTIES
    search_fields = ("found", *PARTY_NAMES)
    ordering = (F("resolved_at").desc(nulls_first=True), "-found_at")  # open ones first


class AgreementFilter(admin.SimpleListFilter):
    title = "result"
    parameter_name = "result"

    def lookups(self, *_: object) -> list[tuple[str, str]]:
        return [("differs", "Differences"), ("agrees", "Agree")]

    def queryset(self, _request: HttpRequest, checks: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "differs":
            return checks.exclude(differences=[])
        return checks.filter(differences=[]) if self.value() == "agrees" else checks


@admin.register(BooksCheck)
class BooksCheckAdmin(RecordAdmin):
    """The nightly comparison of the ledger with the documents, and one whenever staff ask."""

    list_display = ("checked_at", "agrees", "number", "first_difference")
    list_filter = (AgreementFilter, "checked_at")
    search_fields = ("differences",)
    ordering = ("-checked_at",)

    @admin.display(description="agree", boolean=True)
    def agrees(self, check: BooksCheck) -> bool:
        return check.is_clean

    @admin.display(description="differences")
    def number(self, check: BooksCheck) -> int:
        return len(check.differences)

    @admin.display(description="differences")
    def every_difference(self, check: BooksCheck) -> str:
        if check.is_clean:
            return "The books agree."
        return format_html_join(SafeString("<br>"), "{}", ((one,) for one in check.differences))

    def get_fields(self, _request: HttpRequest, _row: Any = None) -> list[Any]:
        return ["checked_at", "every_difference"]

    def get_urls(self) -> list[URLPattern]:
        now = self.admin_site.admin_view(require_POST(self.check_now))
        return [path("now/", now, name="check-books"), *super().get_urls()]

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Have a worker compare the books: it may take longer than a page."""
        if not self.has_verb_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            ring_on_commit(events.BOOKS_TASK)
        messages.success(request, "The books are being checked. Reload in a moment for the result.")
        return HttpResponseRedirect(reverse("admin:billing_bookscheck_changelist"))
