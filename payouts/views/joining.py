"""What a referral link leads to: who recommends, an account, and a company that joins or asks."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.access import MemberRequest, personal_view, public_view
from connections.clocks import clock_of_organization
from connections.models import User
from payouts.affiliates.forms import CompanyForm
from payouts.models import Inquiry, ReferralLink, ReferralTerms
from payouts.models.referral_links import LinkStopped
from payouts.models.referrals import require_newcomer
from payouts.referring import sign_up
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page


@public_view("Whom it brings may have no account yet; it shows and never acts.")
@require_safe
def landing(request: HttpRequest, code: str) -> HttpResponse:
    """Who recommends what, and how to begin."""
    link = _find(code)
    with clock_of_organization(link.provider):
        refusal = _refusal_of(link, request.user if isinstance(request.user, User) else None)
        terms = None if link.is_own else ReferralTerms.objects.of(link.provider, at=clock.now())
        context = {"link": link, "terms": terms, "refusal": refusal, "demo": settings.IS_DEMO}
        return page(request, "payouts/joining/landing.html", context, status=_status(refusal))


@personal_view
def company(request: MemberRequest, code: str) -> HttpResponse:
    """The name of the company, and its beginning: a Partner signs up, a Sub-Org asks."""
    link = _find(code)
    with clock_of_organization(link.provider):
        form = CompanyForm(link, request.POST if request.method == "POST" else None)
        refusal = _refusal_of(link, request.user)
        if form.is_valid() and not refusal:
            try:
                return _begin(request, link, form.cleaned_data)
            except Invalid as error:
                refuse(form, error)
            except DomainError as error:
                refusal = error
        context = {"link": link, "form": form, "refusal": refusal}
        status = _status(refusal, HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else 200)
        return page(request, "payouts/joining/company.html", context, status=status)


def _begin(request: MemberRequest, link: ReferralLink, given: dict[str, Any]) -> HttpResponse:
    act: dict[str, Any] = {"name": given["name"], "by": request.user, "at": clock.now()}
    if link.leads_to_revampd:
        connection = sign_up(link, **act)
        to = reverse("overview", args=[connection.pk])
        return done(request, f"Welcome, {connection.customer}. These are your first steps.", to)
    inquiry = Inquiry.send(link, note=given["note"], **act)
    sentence = f"{inquiry.partner} has your request. You get a mail as soon as it answers."
    return done(request, sentence, reverse("connection-list"))


def _find(code: str) -> ReferralLink:
    links = ReferralLink.objects.select_related("owner", "provider")
    link: ReferralLink = get_object_or_404(links, code=code)
    return link


def _refusal_of(link: ReferralLink, reader: User | None) -> DomainError | None:
    """Why the reader cannot come in by this link, None if they can."""
    try:
        link.require_open()
        if reader:
            require_newcomer(link, reader)
    except DomainError as refusal:
        return refusal
    return None


def _status(refusal: DomainError | None, otherwise: int = 200) -> int:
    """A stopped link is gone."""
    if isinstance(refusal, LinkStopped):
        return HTTPStatus.GONE
    return refusal.status if refusal else otherwise
