"""Looking at the pages as somebody else: the one place that keeps it from changing anything.

While a member of staff looks, every request of theirs goes through here. What is not a plain look
(GET, HEAD, OPTIONS) is refused before any view is called, and the door refuses it once more. A look
happens as the person, in a transaction that is rolled back: what a page would note on the way, such
as that a message was read, is not kept either. The pages of the person's own account, with their
second factor and their sessions, stay closed. In the admin one remains oneself.
"""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from revampd.kit.errors import NotAllowed
from revampd.kit.middleware import Handler, refusal_page

from .models import User, Viewing

KEY = "viewing"  # of the session
LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = "/admin/"
CLOSED = "/accounts/"


def begin(request: HttpRequest, viewing: Viewing) -> None:
    """From the next request on this session looks as `viewing` says."""
    request.session[KEY] = str(viewing.pk)


def end(request: HttpRequest, *, at: datetime) -> None:
    viewing = looking(request)
    request.session.pop(KEY, None)
    if viewing:
        viewing.end(at=at)


def looking(request: HttpRequest) -> Viewing | None:
    """As whom this request looks, if it does."""
    viewing: Viewing | None = getattr(request, "viewing", None)
    return viewing


def refuse_acts(request: HttpRequest) -> None:
    """Raises NotAllowed for whatever is more than a look while somebody looks as another."""
    viewing = looking(request)
    if viewing and request.method not in LOOKS:
        raise NotAllowed(
            f"You are looking as {viewing.person}, and can change nothing.",
            next_step="End the view first, then act as yourself.",
        )


class ViewAs:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.get(KEY)
        if key is None:
            return self.get_response(request)
        viewing = _found(key, request.user)
        if viewing is None or viewing.ended_at or viewing.until <= timezone.now():
            return self._over(request, viewing)
        request.viewing = viewing  # type: ignore[attr-defined]
        if request.path == reverse("connections:end-viewing"):
            return self.get_response(request)
        if not request.path.startswith(OWN):
            request.user = viewing.person
        try:
            refuse_acts(request)
            _refuse_private(request)
        except NotAllowed as refusal:
            return refusal_page(request, refusal)
        return self._look(request)

    def _look(self, request: HttpRequest) -> HttpResponse:
        """The page; nothing of what it writes is kept."""
        with transaction.atomic():
            response = self.get_response(request)
            transaction.set_rollback(True)
        return response

    def _over(self, request: HttpRequest, viewing: Viewing | None) -> HttpResponse:
        """The time is over: back to where one is oneself, also for what was to be done."""
        request.session.pop(KEY)
        if viewing:
            viewing.end(at=timezone.now())
            messages.info(request, f"You no longer look as {viewing.person}: the view has ended.")
        to = reverse("admin:index")
        return HttpResponseClientRedirect(to) if request.htmx else HttpResponseRedirect(to)  # type: ignore[attr-defined]


def _found(key: str, staff: object) -> Viewing | None:
    """The viewing of this key, if it is still for this member of staff to have."""
    if not isinstance(staff, User) or not staff.has_perm("connections.view_as"):
        return None
    rows = Viewing.objects.select_related("staff", "person").filter(person__is_active=True)
    found: Viewing | None = rows.filter(pk=UUID(key), staff=staff, person__is_staff=False).first()
    return found


def _refuse_private(request: HttpRequest) -> None:
    if request.path.startswith(CLOSED):
        raise NotAllowed(
            "This is the person's own account, which nobody else opens.",
            next_step="Everything else you see as they do.",
        )
