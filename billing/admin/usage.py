"""Usage for staff: every entry, and the same two ways to enter it, for all connections."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from billing.forms.uploads import UploadForm
from billing.forms.usage import UsageForm
from billing.imports import UsageFile, UsageImport
from billing.models import UsageRecord
from connections.models import Connection, User
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.sheets import BadRows
from revampd.kit.uploads import keep, kept

from .records import PARTIES, PARTY_NAMES, RecordAdmin

SCOPE = "all"  # what an upload of staff is for
PROBLEMS_SHOWN = 50


class StaffUsageForm(UsageForm):
    """Usage of any connection."""

    connection = forms.ModelChoiceField(
        Connection.objects.select_related("provider", "customer"),
        label="Id of the connection",
        widget=forms.TextInput,
        error_messages={"invalid_choice": "There is no such connection."},
    )
    field_order = ("connection", "measure", "used_on", "quantity", "key")


@admin.register(UsageRecord)
class UsageRecordAdmin(RecordAdmin):
    """Every entry, and the pages on which staff enter usage, by hand and by file."""

    list_display = (
        *("used_on", "connection", "item", "measure", "quantity"),
        *("key", "line", "entered_by", "entered_at"),
    )
    list_filter = ("measure", ("line", admin.EmptyFieldListFilter), "used_on")
    list_select_related = (*PARTIES, "item", "line", "entered_by")
    search_fields = ("=key", "item__name", *PARTY_NAMES)
    date_hierarchy = "used_on"
    ordering = ("-used_on",)
    change_list_template = "admin/billing/usagerecord/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("enter/", self.enter, "enter-usage"),
            ("import/", self.upload, "import-usage"),
            ("import/confirmation/", self.confirm, "confirm-usage-import"),
        )
        own = [path(p, self.admin_site.admin_view(view), name=name) for p, view, name in pages]
        return [*own, *super().get_urls()]

    def enter(self, request: HttpRequest) -> HttpResponse:
        staff = self._staff(request)
        form = StaffUsageForm(request.POST or None, today=timezone.localdate())
        if form.is_valid() and (record := _enter(form, staff)):
            return self._done(request, f"{record} are on the next invoice.")
        return self._page(request, "enter.html", "Enter usage", form=form)

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Choose a file, and see what it would enter. Nothing is entered yet."""
        staff = self._staff(request)
        is_sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            content = form.cleaned_data["file"]
            try:
                found = UsageImport(UsageFile(content), staff, timezone.now())
                context |= {"found": found, "problems": found.problems[:PROBLEMS_SHOWN]}
                if not found.problems:
                    context["digest"] = keep(content, staff, SCOPE)
            except Invalid as refusal:
                refuse(form, refusal)
        return self._page(request, "import.html", "Import usage", **context)

    def confirm(self, request: HttpRequest) -> HttpResponse:
        staff = self._staff(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:import-usage"))
        try:
            content = kept(request.POST.get("digest", ""), staff, SCOPE)
            number = UsageImport(UsageFile(content), staff, timezone.now()).enter()
        except BadRows as refusal:
            shown = {"form": UploadForm(), "problems": refusal.problems[:PROBLEMS_SHOWN]}
            return self._page(request, "import.html", "Import usage", **shown)
        except DomainError as refusal:
            messages.error(request, f"{refusal} {refusal.next_step}")
            return HttpResponseRedirect(reverse("admin:import-usage"))
        return self._done(request, f"{number:,} rows are entered, each for its next invoice.")

    def _staff(self, request: HttpRequest) -> User:
        if not request.user.has_perm("billing.add_usagerecord"):
            raise PermissionDenied
        return request.user  # type: ignore[return-value]

    def _done(self, request: HttpRequest, sentence: str) -> HttpResponse:
        messages.success(request, sentence)
        return HttpResponseRedirect(reverse("admin:billing_usagerecord_changelist"))

    def _page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> HttpResponse:
        context |= self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        is_wrong = context["form"].errors or context.get("problems")
        place = f"admin/billing/usagerecord/{template}"
        return TemplateResponse(request, place, context, status=422 if is_wrong else 200)


def _enter(form: StaffUsageForm, staff: User) -> UsageRecord | None:
    given = dict(form.cleaned_data)
    connection = given.pop("connection")
    at = connection.own_time(timezone.now())
    try:
        return UsageRecord.enter(connection, by=staff, at=at, **given)
    except DomainError as refusal:
        refuse(form, Invalid(refusal.sentence, field=getattr(refusal, "field", None)))
        return None
