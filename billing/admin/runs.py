"""Billing runs: how far each is and what came of it; a new one, a dry one, and one resumed."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing.forms.requests import day_field
from billing.models import BillingRun
from billing.models.billing_runs import SILENCE
from billing.outcomes import Outcome
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import Waiting, WaitingFilter

from .acts import Confirmation
from .records import RecordAdmin, staff_of

RECENT = timedelta(days=2)
MODES = (
    ("DRY", "Dry run: say what would be issued, and issue nothing"),
    ("REAL", "Issue the invoices"),
)


class RunForm(forms.Form):
    """By which day, and whether it is in earnest."""

    mode = forms.ChoiceField(choices=MODES, initial="DRY", widget=forms.RadioSelect)
    on = day_field(
        label="Due by",
        required=False,
        help_text="Empty: today, where each provider does business.",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        day: date | None = given.get("on")
        if day and given.get("mode") == "REAL" and day > timezone.localdate():
            self.add_error("on", "That would bill early. A day to come takes a dry run.")
        return given


@admin.register(BillingRun)
class BillingRunAdmin(RecordAdmin):
    list_display = (
        *("started_at", "kind", "on", "progress", "issued", "stopped"),
        *("finished_at", "asked_by", "problem"),
    )
    waiting = {
        "lost": Waiting(
            "Billing runs that failed or lost their worker",
            "started_at",
            lambda rows: rows.filter(
                Q(finished_at=None, started_at__lt=timezone.now() - SILENCE)
                & (Q(went_on_at=None) | Q(went_on_at__lt=timezone.now() - SILENCE))
                | ~Q(problem="") & Q(started_at__gt=timezone.now() - RECENT)
            ),
        )
    }
    list_filter = (
        WaitingFilter,
        ("finished_at", admin.EmptyFieldListFilter),
        ("problem", admin.EmptyFieldListFilter),
        "is_dry",
    )
    list_select_related = ("asked_by",)
    search_fields = ("problem",)
    ordering = ("-started_at",)
    # What it came to stands above them.
    fields = ("on", "started_at", "went_on_at", "finished_at", "asked_by")
    change_list_template = "admin/billing/billingrun/change_list.html"
    change_form_template = "admin/billing/billingrun/change_form.html"

    def get_fields(self, _request: HttpRequest, _row: Any = None) -> list[Any]:
        return list(self.fields)

    @admin.display(ordering="is_dry")
    def kind(self, run: BillingRun) -> str:
        return "Dry run" if run.is_dry else "Billing run"

    @admin.display(description="connections")
    def progress(self, run: BillingRun) -> str:
        return f"{run.done:,} of {run.connections:,} ({run.percent} %)"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("ask/", view(self.ask), name="ask-for-run"),
            path("<int:run_id>/resume/", view(require_POST(self.resume)), name="resume-run"),
            path("<int:run_id>/progress/", view(self.panel), name="run-progress"),
            *super().get_urls(),
        ]

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Have a worker do a run, in earnest or dry."""
        form = RunForm(request.POST or None)

        def ask() -> str:
            is_dry = form.cleaned_data["mode"] == "DRY"
            now = timezone.now()
            BillingRun.ask(on=form.cleaned_data["on"], is_dry=is_dry, by=staff_of(request), at=now)
            return "A worker takes it up. Its page shows how far it is."

        act = Act(
            title="Start a billing run",
            words="It issues what is due by a day, each period exactly once, and so does the run "
            "that starts by itself every hour.",
            submit="Start",
            back=reverse("admin:billing_billingrun_changelist"),
        )
        add = "billing.add_billingrun"
        return act_page(self, request, act, form, ask, permission=add)

    def resume(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Go on with a run whose worker died."""
        run = get_object_or_404(BillingRun, pk=run_id)
        act = Act(
            title=f"Resume: {run}",
            words="It goes on where it stood: what was billed is not due any more.",
            submit="Resume",
            back=reverse("admin:billing_billingrun_change", args=[run.pk]),
        )

        def resume() -> str:
            run.resume(by=staff_of(request), at=timezone.now())
            return "A worker goes on with it."

        return act_page(self, request, act, Confirmation(request.POST), resume)

    def panel(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """How far it is and what came of it, for the page that shows it live."""
        run = get_object_or_404(BillingRun, pk=run_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        return TemplateResponse(
            request, "admin/billing/billingrun/_panel.html", {"run": run, "came": Outcome(run)}
        )

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        run = get_object_or_404(BillingRun, pk=object_id)
        kwargs["extra_context"] = {"run": run, "came": Outcome(run)}
        return super().change_view(request, object_id, *args, **kwargs)
