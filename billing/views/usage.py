"""The usage of a connection, seen from both sides; its provider enters it."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from billing.filters import UsageFilter
from billing.forms.uploads import UploadForm
from billing.forms.usage import UsageForm
from billing.imports import UsageFile, UsageImport
from billing.models import Subscription, UsageRecord
from billing.pricing import Measure
from connections.access import Duty, Party, Side, party_view
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page
from revampd.kit.money import total
from revampd.kit.uploads import keep, kept

from .catalog import typed

PAGE_LENGTH = 25
PROBLEMS_SHOWN = 50


@party_view
@require_GET
def usage_list(request: HttpRequest, party: Party) -> HttpResponse:
    currency = party.connection.currency
    rows = UsageRecord.objects.filter(connection=party.connection)
    shown = UsageFilter(request.GET, queryset=rows.newest_first())
    counted = shown.qs.counted(currency)
    with_names = shown.qs.with_cost().select_related("entered_by", "line__invoice", "connection")
    context = {
        "rows": Paginator(with_names, PAGE_LENGTH).get_page(request.GET.get("page")),
        "counted": counted,
        "cost": total((one.cost for one in counted), currency),
        "measures": [(m.value, f"{m.label}s".capitalize()) for m in Measure],
        "chosen": shown.form.cleaned_data if shown.is_valid() else {},
        "next_invoice": _next_invoice(party),
    }
    return page(request, "billing/usage/list.html", context)


def _next_invoice(party: Party) -> Any:
    live = Subscription.objects.live().filter(connection=party.connection)
    return live.values_list("next_invoice_date", flat=True).first()


# By hand


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def enter_usage(request: HttpRequest, party: Party) -> HttpResponse:
    form = UsageForm(typed(request), today=party.connection.day_of(clock.now()))
    if form.is_valid() and (record := _enter(party, form)):
        sentence = f"{record} are on the next invoice."
        return done(request, sentence, reverse("billing:usage", args=[party.connection.pk]))
    context = {"form": form, "next_invoice": _next_invoice(party)}
    status = 422 if form.errors else 200
    return page(
        request,
        "billing/usage/new.html",
        context,
        fragment="billing/usage/_form.html",
        status=status,
    )


def _enter(party: Party, form: UsageForm) -> UsageRecord | None:
    try:
        return UsageRecord.enter(
            party.connection, by=party.user, at=clock.now(), **form.cleaned_data
        )
    except Invalid as refusal:
        refuse(form, refusal)
        return None


# As a file


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def import_usage(request: HttpRequest, party: Party) -> HttpResponse:
    """Choose a file, and see what it would enter. Nothing is entered yet."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        content = form.cleaned_data["file"]
        try:
            context["found"] = found = _read(party, content)
            if not found.problems:
                context["digest"] = keep(content, party.user, party.connection.pk)
        except Invalid as refusal:
            refuse(form, refusal)
    return _import_page(request, party, **context)


def _import_page(
    request: HttpRequest, party: Party, refusal: DomainError | None = None, **context: Any
) -> HttpResponse:
    """The page of an import. It also answers a confirmation that was refused."""
    found = context.get("found")
    problems = found.problems if found else getattr(refusal, "problems", [])
    context = {"form": UploadForm(), "refusal": refusal} | context
    context |= {"problems": problems[:PROBLEMS_SHOWN], "more": len(problems) - PROBLEMS_SHOWN}
    context |= {"next_invoice": _next_invoice(party)}
    status = 422 if problems or context["form"].errors else 200
    return page(request, "billing/usage/import.html", context, status=status)


def _read(party: Party, content: bytes) -> UsageImport:
    # The verb takes real time, to which each connection adds how far it is ahead.
    at = clock.now() - party.connection.ahead
    return UsageImport(UsageFile(content, party.connection), party.user, at)


@party_view(side=Side.PROVIDER, duty=Duty.BILL, refused=_import_page)
@require_POST
def confirm_import(request: HttpRequest, party: Party) -> HttpResponse:
    digest = request.POST.get("digest", "")
    number = _read(party, kept(digest, party.user, party.connection.pk)).enter()
    rows = "1 row of usage is" if number == 1 else f"{number:,} rows of usage are"
    sentence = f"{rows} entered, for the next invoice." if number else "All of it was known before."
    return done(request, sentence, reverse("billing:usage", args=[party.connection.pk]))
