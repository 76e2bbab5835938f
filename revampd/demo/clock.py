"""The demo's clock as visitors see it: how far to move it, how far it is, what happened."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from connections.access import MemberRequest, Party, party_of, personal_view
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import wants_fragment
from revampd.models import ClockIsMoving, ClockMove

from .forms import ClockForm
from .summary import Summary


@personal_view
@require_http_methods(["GET", "HEAD", "POST"])
def clock_page(request: MemberRequest) -> HttpResponse:
    """How far to move the clock of one connection (?connection=) or of all."""
    party = _party(request)
    if request.method == "POST":
        return _set_out(request, party)
    if under_way := ClockMove.objects.under_way().first():
        return redirect(_url(request, under_way))
    form = ClockForm(party.connection if party else None, timezone.now())
    return _form_page(request, party, form)


def _set_out(request: MemberRequest, party: Party | None) -> HttpResponse:
    connection, now = party.connection if party else None, timezone.now()
    form = ClockForm(connection, now, request.POST)
    if form.is_valid():
        try:
            move = ClockMove.begin(connection, to=form.day, by=request.user, now=now)
        except Invalid as refusal:
            refuse(form, refusal)
        except ClockIsMoving as refusal:
            return _form_page(request, party, form, refusal)
        else:
            to = {"Location": _url(request, move)}
            return HttpResponse(status=HTTPStatus.SEE_OTHER, headers=to)
    return _form_page(request, party, form)


def _form_page(
    request: MemberRequest,
    party: Party | None,
    form: ClockForm,
    refusal: ClockIsMoving | None = None,
) -> HttpResponse:
    context = {"form": form, "of_one": party, "refusal": refusal, "back": _back(request, party)}
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "demo/clock.html", context, status=status)


@personal_view
@require_GET
def clock_move(request: MemberRequest, move_id: UUID) -> HttpResponse:
    """How far a move is; at its end, what happened on the way."""
    move = get_object_or_404(ClockMove.objects.select_related("by"), pk=move_id)
    if wants_fragment(request) and not move.is_under_way:
        # The whole page: its frame shows the new day, too.
        return HttpResponse(headers={"HX-Refresh": "true"})
    party = _party_of_move(request, move)
    context: dict[str, Any] = {"move": move, "of_one": party, "back": _back(request, party)}
    if wants_fragment(request):
        return render(request, "demo/_move.html", context)
    if not move.is_under_way:
        context["summary"] = Summary(move, request.user, request.GET.get("page"))
    return render(request, "demo/clock_move.html", context)


def _party(request: MemberRequest) -> Party | None:
    """The party that the address names. Raises Http404 for a connection of others."""
    asked = request.GET.get("connection")
    if not asked:
        return None
    try:
        return party_of(request.user, UUID(asked))
    except ValueError:
        raise Http404 from None


def _party_of_move(request: MemberRequest, move: ClockMove) -> Party | None:
    """Whose clock it is, as far as the reader may know."""
    try:
        return party_of(request.user, move.connection_id) if move.connection_id else None
    except Http404:
        return None


def _url(request: HttpRequest, move: ClockMove) -> str:
    query = request.GET.urlencode()
    return reverse("demo:clock-move", args=[move.pk]) + (f"?{query}" if query else "")


def _back(request: HttpRequest, party: Party | None) -> str:
    """Where the person came from, if that is a page of ours."""
    to = request.GET.get("next", "")
    secure = request.is_secure()
    if url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=secure):
        return to
    return reverse("overview", args=[party.connection.pk]) if party else reverse("home")
