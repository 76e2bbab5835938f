"""The demo's own pages: sign in as anybody, read everybody's mail. Mounted in demo mode alone."""

from pathlib import Path

from allauth.account.utils import perform_login
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from connections.access import public_view
from connections.models import User

from . import mailbox
from .companies import PEOPLE

PAGE = 25


@public_view("A demo is there to be looked at from every side. It exists in demo mode alone.")
@require_POST
def sign_in(request: HttpRequest, key: str) -> HttpResponse:
    """Become one of the cast: the login of everybody, but for the password."""
    if key not in PEOPLE:
        raise Http404
    user = get_object_or_404(User, email=PEOPLE[key].email)
    if request.user.is_authenticated and request.user != user:
        request.session.flush()
    return perform_login(request, user, redirect_url="/admin/" if user.is_staff else None)


@public_view("The demo's mail is made up, and its links are there to be followed.")
@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    """Every mail that the demo has written, newest first."""
    mails = mailbox.newest_first(Path(settings.EMAIL_FILE_PATH))
    page = Paginator(mails, PAGE).get_page(request.GET.get("page"))
    return render(request, "demo/mail_list.html", {"page": page})


@public_view("The demo's mail is made up, and its links are there to be followed.")
@require_GET
def mail_detail(request: HttpRequest, key: str) -> HttpResponse:
    """One mail as text, with its links."""
    mails = mailbox.newest_first(Path(settings.EMAIL_FILE_PATH))
    mail = next((mail for mail in mails if mail.key == key), None)
    if mail is None:
        raise Http404
    return render(request, "demo/mail_detail.html", {"mail": mail})
