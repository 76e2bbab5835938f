"""Requests of a connection, seen from both sides: the list, one of them, sending, deciding."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from billing.filters import RequestFilter
from billing.forms.requests import DecisionForm, ProposalForm
from billing.models import BillingRequest
from billing.models.catalog import NotOnSale
from billing.models.proposals import About
from billing.pricing import ItemKind
from billing.record import Record
from billing.statement import Statement
from connections.access import Duty, Party, Side, party_view
from notifications.models import Notification
from revampd.kit import clock, live
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page, wants_fragment
from revampd.kit.narrowing import Chosen
from revampd.kit.prepared import prepared

PAGE_LENGTH = 25
# Of a request and its people, what a row shows.
SHOWN = (
    *("kind", "terms", "state", "proposed_at", "expires_at", "decided_at"),
    *("proposed_by__name", "proposed_by__email", "decided_by__name", "decided_by__email"),
)


# The list


@party_view
@require_GET
def request_list(request: HttpRequest, party: Party) -> HttpResponse:
    key, shape = party.connection.pk, RequestFilter.chosen(request.GET, BillingRequest)
    chosen = dict(shape)
    counts = Counter(dict(_by_state(key, kind=chosen.get("kind", ""))))
    version = " ".join(f"{state} {number}" for state, number in sorted(counts.items()))
    if live.shows(request, version):
        return live.unchanged()
    pages: Paginator[BillingRequest] = Paginator(_requests.part_of(key, chosen=shape), PAGE_LENGTH)
    pages.count = counts[state] if (state := chosen.get("state")) else counts.total()
    context = {
        "rows": pages.get_page(request.GET.get("page")),
        "states": [(s.value, s.label, counts[s.value]) for s in BillingRequest.State],
        "kinds": ItemKind.choices,
        "total": counts.total(),
        "chosen": chosen,
        "version": version,
        "is_live": counts[BillingRequest.State.PENDING] > 0,
    }
    fragment = "billing/requests/_list.html" if live.is_asked(request) else ""
    return page(request, "billing/requests/list.html", context, fragment=fragment)


@prepared
def _requests(
    connection: Any, *, chosen: Chosen, part: tuple[int, int]
) -> QuerySet[BillingRequest]:
    own = BillingRequest.objects.filter(connection=connection).newest_first()
    rows = RequestFilter.narrow(own, chosen).select_related("proposed_by", "decided_by")
    return rows.only(*SHOWN)[slice(*part)]


@prepared
def _by_state(connection: Any, *, kind: str) -> QuerySet[BillingRequest, Any]:
    """How many requests stand how; those of a `kind`, or of any."""
    own = BillingRequest.objects.filter(connection=connection).order_by()
    of_kind = own.filter(kind=kind) if kind else own
    counts: QuerySet[BillingRequest, Any] = of_kind.values_list("state").annotate(Count("id"))
    return counts


# One request


@party_view
@require_GET
def request_detail(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    """The page; or, for one that is open and asks again, the panel once it has changed."""
    if live.is_asked(request):
        record = Record(_find(party, request_id), party, clock.now())
        if live.shows(request, record.version):
            return live.unchanged()
        messages.info(request, f"{record.request.outcome}.")
    return _request_page(request, party, request_id)


def _request_page(
    request: HttpRequest,
    party: Party,
    request_id: UUID,
    refusal: DomainError | None = None,
    form: DecisionForm | None = None,
) -> HttpResponse:
    """A request with all that belongs to it. It also answers an act that was refused."""
    record = Record(_find(party, request_id), party, clock.now())
    notification = _notification(request, party)
    return page(
        request,
        "billing/requests/detail.html",
        _shown(record, notification) | {"refusal": refusal, "form": form, "back": _next(request)},
        fragment=_fragment(request, notification),
        status=422 if form else 200,
    )


# Sending


@party_view(side=Side.PROVIDER, duty=Duty.BILL)
def propose_request(request: HttpRequest, party: Party) -> HttpResponse:
    """The form, its preview of what the customer will see, and the sending."""
    return compose(request, party)


@party_view(side=Side.PROVIDER, duty=Duty.BILL, refused=_request_page)
def revise_request(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    """The same form; sending it retires the request and sends a new one."""
    revised = _find(party, request_id)
    if request.method == "GET" and not revised.is_pending:
        return redirect(_url("billing:request", revised))
    return compose(request, party, revised)


@party_view(side=Side.PROVIDER, duty=Duty.BILL, refused=_request_page)
@require_POST
def withdraw_request(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    withdrawn = _find(party, request_id)
    withdrawn.withdraw(by=party.user, at=clock.now())
    return _answer(request, party, withdrawn, f"You withdrew {withdrawn.item_name}.")


def compose(
    request: HttpRequest,
    party: Party,
    revised: BillingRequest | None = None,
    about: About | None = None,
) -> HttpResponse:
    """What the proposal is, what the customer will see of it, and the sending.

    With `about` it is a one-time charge for that, and its page is where it ends.
    """
    at, data = clock.now(), request.POST if request.method == "POST" else None
    form = ProposalForm(party.connection, at, data, revises=revised, about=about)
    is_preview = "preview" in request.POST
    context: dict[str, Any] = {"form": form, "revised": revised, "is_preview": is_preview}
    if form.is_valid():
        try:
            if not is_preview:
                return _send(request, party, form, revised)
            draft = BillingRequest.draft(form.proposal(), party.connection, by=party.user, at=at)
            context |= {"draft": draft, "statement": Statement.on(draft, form.today)}
        except Invalid as refusal:
            refuse(form, refusal)
        except NotOnSale as refusal:
            form.add_error("item", str(refusal))
    if is_preview and wants_fragment(request):
        # A form half filled in is no mistake yet: the preview says what is missing. It comes alone,
        # because the form may have been answered, and replaced, while it was on its way.
        return render(request, "billing/requests/_preview.html", context)
    status = 422 if form.errors else 200
    fragment = "billing/requests/_form.html"
    return page(request, "billing/requests/new.html", context, fragment=fragment, status=status)


def _send(
    request: HttpRequest, party: Party, form: ProposalForm, revised: BillingRequest | None
) -> HttpResponse:
    proposal, at = form.proposal(), clock.now()
    if revised:
        sent = revised.revise(proposal, by=party.user, at=at)
    else:
        key = form.cleaned_data["key"]
        sent = BillingRequest.propose(
            proposal, connection=party.connection, by=party.user, at=at, key=key
        )
    sentence = f"{party.counterparty} has the request now. It costs nothing until they approve it."
    return done(request, sentence, form.about.path if form.about else _url("billing:request", sent))


# Deciding


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_request_page)
@require_POST
def approve_request(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    approved = _find(party, request_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _request_page(request, party, request_id, form=form)
    approved.approve(by=party.user, at=clock.now(), **form.cleaned_data)
    return _answer(request, party, approved, f"You approved {approved.item_name}.")


@party_view(side=Side.CUSTOMER, duty=Duty.BILL, refused=_request_page)
@require_POST
def reject_request(request: HttpRequest, party: Party, request_id: UUID) -> HttpResponse:
    rejected = _find(party, request_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _request_page(request, party, request_id, form=form)
    rejected.reject(by=party.user, at=clock.now(), note=form.cleaned_data["note"])
    sentence = f"You rejected {rejected.item_name}. Nothing changes."
    return _answer(request, party, rejected, sentence)


def _answer(
    request: HttpRequest, party: Party, acted_on: BillingRequest, sentence: str
) -> HttpResponse:
    """What an act leaves behind: the panel, or its place in the notification it came from."""
    notification = _notification(request, party)
    context = None
    if wants_fragment(request):
        record = Record(_find(party, acted_on.pk), party, clock.now())
        context = _shown(record, notification)
    to = _next(request) or (
        reverse("notifications:list") if notification else _url("billing:request", acted_on)
    )
    fragment = _fragment(request, notification)
    answer = done(request, sentence, to, fragment=fragment, context=context)
    return trigger_client_event(answer, "news:check", after="settle")


# Finding


def _find(party: Party, request_id: UUID) -> BillingRequest:
    rows = party.connection.billing_requests.select_related("proposed_by", "decided_by", "revises")
    found: BillingRequest = get_object_or_404(rows, pk=request_id)
    found.connection, found.provider = party.connection, party.connection.provider
    return found


def _notification(request: HttpRequest, party: Party) -> Notification | None:
    """The notification inside which the person acts, if they do."""
    key = request.POST.get("notification", "")
    if not key.isdecimal() or len(key) > 18:
        return None
    return Notification.objects.of(party.user).filter(pk=key).first()


def _shown(record: Record, notification: Notification | None) -> dict[str, Any]:
    return {
        "record": record,
        "subject": record.request,
        "may_decide": record.may_decide,
        "notification": notification,
    }


def _fragment(request: HttpRequest, notification: Notification | None) -> str:
    """A notification or a conversation shows the request small; its own page, with everything."""
    small = notification or _next(request)
    return f"billing/requests/{'_notified' if small else '_panel'}.html"


def _next(request: HttpRequest) -> str:
    """Where the person acts, if that is another page of ours."""
    to = request.POST.get("next", "")
    secure = request.is_secure()
    if url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=secure):
        return to
    return ""


def _url(name: str, subject: BillingRequest) -> str:
    return reverse(name, args=[subject.connection_id, subject.pk])
