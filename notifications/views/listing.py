"""A person's notifications: the list, one of them, the bell, and marking as read.

Showing changes nothing. Opening is a POST that marks as read and leads to the page concerned, so
that neither a prefetching browser nor a mail scanner reads anything in somebody's stead.
"""

from http import HTTPStatus
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import get_template
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connections.access import MemberRequest, personal_view
from connections.kinds import Category, kind_of
from notifications.bell import bell_of
from notifications.feed import Entry, entries_of
from notifications.forms import NarrowingForm
from notifications.models import Delivery, Notification, Undeliverable
from revampd.kit import clock
from revampd.kit.htmx import done, page

PAGE_LENGTH = 25


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
    reader = request.user
    mine = Notification.objects.of(reader)
    narrowing = NarrowingForm(request.GET, reader)
    rows = narrowing.narrow(mine).pinned_first()
    # The page is found in an index alone, however deep it lies; what it shows is read afterwards.
    shown = Paginator(rows.values_list("pk", flat=True), PAGE_LENGTH)
    found = shown.get_page(request.GET.get("page"))
    entries = mine.filter(pk__in=list(found)).with_parties().pinned_first()
    return {
        "page_obj": found,
        "entries": entries_of(entries, reader),
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
