"""How a Partner gets Sub-Orgs by recommendation: its own link, what it gives, and who asks."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing.seats import Seats
from connections.access import Duty, organization_view
from connections.models import Membership, Organization
from payouts.affiliates.forms import AnswerForm, TermsForm
from payouts.models import Inquiry, Referral, ReferralLink, ReferralTerms
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page

PAGE_LENGTH = 25
BROUGHT = "referrals"
PARTNERS = (Organization.Kind.PARTNER,)


def referrals_page(
    request: HttpRequest,
    membership: Membership,
    *,
    form: TermsForm | None = None,
    refusal: DomainError | None = None,
    **_: Any,
) -> HttpResponse:
    """Link, terms, and who asks or was brought. It also answers an act that was refused."""
    partner, now = membership.organization, clock.now()
    terms = ReferralTerms.objects.of(partner, at=now)
    link = ReferralLink.objects.between(partner, partner)
    url = reverse("joining:landing", args=[link.code]) if link else ""
    show = BROUGHT if request.GET.get("show") == BROUGHT else ""
    rows = _brought(partner) if show else _asked(partner)
    context = {
        "terms": terms if terms and terms.rate else None,
        "form": form or TermsForm(terms),
        "link": link,
        "address": request.build_absolute_uri(url) if link else "",
        "show": show,
        "page": Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page")),
        "seats": Seats.of(partner, now),
        "today": now.date(),
        "refusal": refusal,
    }
    status = 422 if form and form.errors else 200
    return page(request, "payouts/referrals/page.html", context, status=status)


def _asked(partner: Organization) -> Any:
    """Who waits first, then who was answered, the newest first."""
    asked = Inquiry.objects.filter(partner=partner)
    related = asked.select_related("referrer", "asked_by", "answered_by")
    return related.order_by("-state", "-asked_at", "-pk")


def _brought(partner: Organization) -> Any:
    rows = Referral.objects.filter(provider=partner).select_related("referred", "referrer")
    return rows.annotate(earned=Sum("shares__amount", default=0)).newest_first()


@organization_view(kinds=PARTNERS)
@require_safe
def referrals(request: HttpRequest, membership: Membership) -> HttpResponse:
    return referrals_page(request, membership)


@organization_view(kinds=PARTNERS, duty=Duty.BILL, refused=referrals_page)
@require_POST
def make_link(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Make the Partner's own link, or another one in place of it."""
    partner = membership.organization
    ReferralLink.make(partner, partner, by=membership.user, at=clock.now())
    return done(request, "This is your link. Older ones no longer work.", _url(membership))


@organization_view(kinds=PARTNERS, duty=Duty.BILL, refused=referrals_page)
@require_POST
def stop_link(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner = membership.organization
    link = ReferralLink.objects.between(partner, partner)
    if link:
        link.stop(by=membership.user, at=clock.now())
    return done(request, "The link no longer works.", _url(membership))


@organization_view(kinds=PARTNERS, duty=Duty.BILL, refused=referrals_page)
@require_POST
def offer_terms(request: HttpRequest, membership: Membership) -> HttpResponse:
    """What the Partner gives from now on; what was frozen stays."""
    partner, now = membership.organization, clock.now()
    form = TermsForm(ReferralTerms.objects.of(partner, at=now), request.POST)
    if form.is_valid():
        try:
            offered = ReferralTerms.offer(partner, **form.terms, by=membership.user, at=now)  # type: ignore[arg-type]
        except Invalid as refusal:
            refuse(form, refusal)
        else:
            sentence = f"From now on you give {offered.in_words}. Earlier referrals keep theirs."
            return done(request, sentence, _url(membership))
    return referrals_page(request, membership, form=form)


# Who asks


def answer_page(
    request: HttpRequest,
    membership: Membership,
    *,
    inquiry_id: UUID,
    form: AnswerForm | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    """One company that asks, with the two answers. It also answers one that was refused."""
    context = {
        "inquiry": _find(membership, inquiry_id),
        "form": form or AnswerForm(),
        "terms": ReferralTerms.objects.of(membership.organization, at=clock.now()),
        "seats": Seats.of(membership.organization, clock.now()),
        "refusal": refusal,
    }
    status = 422 if form and form.errors else 200
    return page(request, "payouts/referrals/inquiry.html", context, status=status)


@organization_view(kinds=PARTNERS)
@require_safe
def inquiry(request: HttpRequest, membership: Membership, inquiry_id: UUID) -> HttpResponse:
    return answer_page(request, membership, inquiry_id=inquiry_id)


@organization_view(kinds=PARTNERS, duty=Duty.MANAGE, refused=answer_page)
@require_POST
def accept_inquiry(request: HttpRequest, membership: Membership, inquiry_id: UUID) -> HttpResponse:
    """Invite who asked, on a seat of the tier."""
    asked = _find(membership, inquiry_id)
    sent = asked.accept(by=membership.user, at=clock.now())
    return done(request, f"{asked} is invited. The mail goes to {sent.email}.", _url(membership))


@organization_view(kinds=PARTNERS, duty=Duty.MANAGE, refused=answer_page)
@require_POST
def decline_inquiry(request: HttpRequest, membership: Membership, inquiry_id: UUID) -> HttpResponse:
    asked, form = _find(membership, inquiry_id), AnswerForm(request.POST)
    if not form.is_valid():
        return answer_page(request, membership, inquiry_id=inquiry_id, form=form)
    asked.decline(answer=form.cleaned_data["answer"], by=membership.user, at=clock.now())
    return done(request, f"{asked} is told that you declined.", _url(membership))


def _find(membership: Membership, inquiry_id: UUID) -> Inquiry:
    own = Inquiry.objects.filter(partner=membership.organization)
    related = own.select_related("link", "referrer", "asked_by", "answered_by", "partner")
    found: Inquiry = get_object_or_404(related, pk=inquiry_id)
    return found


def _url(membership: Membership) -> str:
    return reverse("referrals:referrals", args=[membership.organization.slug])
