"""What staff watch over: stopped invoices, and whether the books agree."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing.books.equations import Total
from billing.models import BooksCheck, Discrepancy
from revampd.kit.admin import Waiting, WaitingFilter

from .records import PARTIES, PARTY_NAMES, RecordAdmin, staff_of


@admin.register(Discrepancy)
class DiscrepancyAdmin(RecordAdmin):
    """Invoices that were stopped. One resolves by itself, once a run finds it explained."""

    list_display = ("connection", "found", "on", "found_at", "resolved_at")
    waiting = {
        "stopped": Waiting(
            "Stopped invoices", "found_at", lambda rows: rows.filter(resolved_at=None)
        )
    }
    list_filter = (WaitingFilter, ("resolved_at", admin.EmptyFieldListFilter), "found_at")
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
        agree = checks.filter(differences=[], problem="", finished_at__isnull=False)
        return agree if self.value() == "agrees" else checks


@admin.register(BooksCheck)
class BooksCheckAdmin(RecordAdmin):
    """The nightly comparison of the ledger with the documents, and one whenever staff ask."""

    list_display = ("checked_at", "progress", "agrees", "number", "first_difference", "begun_by")
    list_filter = (AgreementFilter, "checked_at")
    list_select_related = ("begun_by",)
    search_fields = ("differences",)
    ordering = ("-checked_at",)

    @admin.display(description="compared")
    def progress(self, check: BooksCheck) -> str:
        if check.problem:
            return "failed"
        return f"{check.done} of {check.comparisons}" if check.comparisons else "waits for a worker"

    @admin.display(description="agree", boolean=True)
    def agrees(self, check: BooksCheck) -> bool | None:
        return None if check.is_running else check.is_clean

    @admin.display(description="differences")
    def number(self, check: BooksCheck) -> int:
        return len(check.differences)

    def get_urls(self) -> list[URLPattern]:
        now = self.admin_site.admin_view(require_POST(self.check_now))
        return [path("now/", now, name="check-books"), *super().get_urls()]

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Have a worker compare the books, and show how far it has come."""
        if not self.has_verb_permission(request):
            raise PermissionDenied
        check = BooksCheck.ask(by=staff_of(request), at=timezone.now())
        return HttpResponseRedirect(reverse("admin:billing_bookscheck_change", args=[check.pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        check: BooksCheck = context["original"]
        context |= {
            "title": str(check),
            "check": check,
            "totals": [Total.read(kept) for kept in check.sums],
            "found": list(zip(check.differences, map(_admin_page, check.subjects), strict=False)),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def _admin_page(subject: str) -> str:
    """The page of a row that is named "app.model:id", "" if it has none."""
    label, _, key = subject.partition(":")
    try:
        return reverse(f"admin:{label.replace('.', '_')}_change", args=[quote(key)])
    except NoReverseMatch:
        return ""
