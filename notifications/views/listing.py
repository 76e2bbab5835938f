"""A person's notifications: the list, one of them, the bell, and marking as read.

Showing changes nothing. Opening is a POST that marks as read and leads to the page concerned, so
that neither a prefetching browser nor a mail scanner reads anything in somebody's stead.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import get_template
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connections.access import MemberRequest, personal_view
from connections.kinds import Category, kind_of
from notifications.bell import bell_of
from notifications.feed import Entry, entries_of, told_to
from notifications.forms import NarrowingForm
from notifications.models import Delivery, Notification, Undeliverable
from revampd.kit import clock
from revampd.kit.htmx import done, page


@personal_view
@require_GET
def notification_list(request: MemberRequest) -> HttpResponse:
    """Unread ones on top, narrowed down by the address."""
    context = _list(request) | {"bouncing": Undeliverable.at(request.user.email)}
    return page(request, "notifications/list.html", context)


@personal_view
@require_GET
def show_notification(request: MemberRequest, pk: int) -> HttpResponse:
    """One notification in full, and what became of its mail."""
    notification = _own(request, pk)
    context = {
        "entry": _entry(request, notification),
        "deliveries": Delivery.objects.filter(notification=notification),
    }
    return page(request, "notifications/detail.html", context)


@personal_view
@require_POST
def open_notification(request: MemberRequest, pk: int) -> HttpResponse:
    """Mark as read and go to the page concerned."""
    notification = _own(request, pk)
    notification.read(at=clock.now())
    own_page = reverse("notifications:open", args=[pk])
    path = kind_of(notification.event).path(notification.event)
    return HttpResponseRedirect(path or own_page, status=HTTPStatus.SEE_OTHER)


@personal_view
@require_POST
def read_notification(request: MemberRequest, pk: int) -> HttpResponse:
    """Mark as read and stay."""
    notification = _own(request, pk)
    notification.read(at=clock.now())
    return done(
        request,
        "Marked as read.",
        _list_url(request),
        fragment="notifications/_notification.html",
        context={"entry": _entry(request, notification)},
    )


@personal_view
@require_POST
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark everything as read, whatever the list shows at the moment."""
    Notification.objects.of(request.user).mark_read(at=clock.now())
    return done(
        request,
        "Everything is marked as read.",
        _list_url(request),
        fragment="notifications/_list.html",
        context=_list(request),
    )


@personal_view
@require_GET
def bell(request: MemberRequest) -> HttpResponse:
    """204 while the version is the one that the page shows; else the bell and its counts.

    Asked for every ten seconds by every open page: it must cost one query and no more.
    """
    bell = bell_of(request.user)
    if request.GET.get("version") == bell.version:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    # Without the context processors, which would look up what a whole page needs.
    fragment = get_template("notifications/_bell.html")
    return HttpResponse(fragment.render({"bell": bell, "request": request}))


def _list(request: MemberRequest) -> dict[str, Any]:
    narrowing = NarrowingForm(request.GET, request.user)
    shown = told_to(request.user, narrowing.chosen).get_page(request.GET.get("page"))
    return {
        "page_obj": shown,
        "entries": entries_of(shown, request.user),
        "narrowing": narrowing,
        "chosen": narrowing.chosen,
        "categories": Category.choices,
    }


def _own(request: MemberRequest, pk: int) -> Notification:
    rows = Notification.objects.of(request.user).with_parties()
    notification: Notification = get_object_or_404(rows, pk=pk)
    return notification


def _entry(request: MemberRequest, notification: Notification) -> Entry:
    return entries_of([notification], request.user)[0]


def _list_url(request: HttpRequest) -> str:
    """The list as it was narrowed down before."""
    query = request.GET.urlencode()
    return reverse("notifications:list") + (f"?{query}" if query else "")
