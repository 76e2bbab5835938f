"""Mail that did not arrive, for the organization that answers for it."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from connections.access import Duty, organization_view
from connections.models import Membership
from notifications.models import Delivery
from revampd.kit import clock
from revampd.kit.errors import DomainError, NotAllowed
from revampd.kit.htmx import done, page

PAGE = 25


def mail_page(
    request: HttpRequest,
    membership: Membership,
    *,
    delivery_id: UUID | None = None,  # noqa: ARG001 - of the act whose refusal is shown
    refusal: DomainError | None = None,
) -> HttpResponse:
    """The newest first."""
    failed = Delivery.objects.answered_for_by(membership.organization).failed()
    rows = failed.with_words().order_by("-due_at", "id")
    context = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "refusal": refusal,
    }
    return page(request, "notifications/mail.html", context)


@organization_view
@require_GET
def mail_list(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Every member sees what did not arrive, and why."""
    return mail_page(request, membership)


@organization_view(duty=Duty.RESEND, refused=mail_page)
def send_again(request: HttpRequest, membership: Membership, delivery_id: UUID) -> HttpResponse:
    """Queue the mail once more, and go back to where it was asked for."""
    organization = membership.organization
    if request.method != "POST":
        return mail_page(request, membership)
    rows = Delivery.objects.answered_for_by(organization).select_related("event")
    delivery = get_object_or_404(rows, pk=delivery_id)
    if not delivery.may_be_sent_by(membership):
        raise NotAllowed(
            f"Your role in {organization} is {membership.role_label}: "
            "that sends mails about tickets again, and no others.",
            next_step="Ask somebody who looks after billing.",
        )
    delivery.send_again(by=membership.user, at=clock.now())
    return done(request, f"The mail to {delivery.address} is on its way.", _back(request))


def _back(request: HttpRequest) -> str:
    """The page that the button stood on."""
    here = request.POST.get("back", "")
    is_ours = here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None)
    slug = request.resolver_match.kwargs["slug"]  # type: ignore[union-attr]
    return here if is_ours else reverse("organization-notifications:mail", args=[slug])
