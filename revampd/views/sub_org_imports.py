"""A Partner invites many Sub-Orgs by a file: check it, confirm it, watch it, read the result."""

from typing import Any
from uuid import UUID, uuid4

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from billing.forms.uploads import UploadForm
from billing.importing import confirm
from billing.models import SubOrgImport
from billing.seats import NoSeat, Seats
from billing.sub_org_files import Comparison, SubOrgFile
from connections.access import Duty, organization_view
from connections.models import Membership, Organization
from revampd.kit import clock
from revampd.kit.errors import DomainError, Invalid
from revampd.kit.forms import refuse
from revampd.kit.htmx import done, page, wants_fragment
from revampd.kit.uploads import keep, kept

PARTNERS = (Organization.Kind.PARTNER,)
PROBLEMS_SHOWN = 50
ROWS_SHOWN = 10
EARLIER_SHOWN = 5
PAGE = 50


def upload_page(
    request: HttpRequest, membership: Membership, refusal: DomainError | None = None, **context: Any
) -> HttpResponse:
    """Where a file is chosen. It also answers a file that cannot be imported."""
    partner, found = membership.organization, context.get("found")
    problems = found.problems if found else getattr(refusal, "problems", [])
    context = {"form": UploadForm(), "refusal": refusal} | context
    context |= {"problems": problems[:PROBLEMS_SHOWN], "more": len(problems) - PROBLEMS_SHOWN}
    context |= {"earlier": SubOrgImport.objects.of(partner).newest_first()[:EARLIER_SHOWN]}
    context.setdefault("seats", Seats.of(partner, clock.now()))
    status = refusal.status if refusal else 422 if problems or context["form"].errors else 200
    return page(request, "connections/sub_org_imports/new.html", context, status=status)


@organization_view(duty=Duty.MANAGE, kinds=PARTNERS)
def import_sub_orgs(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Choose a file, and see whom it would invite. Nobody is invited yet."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            context |= _checked(membership, form.cleaned_data["file"])
        except Invalid as refusal:
            refuse(form, refusal)
    return upload_page(request, membership, **context)


def _checked(membership: Membership, content: bytes) -> dict[str, Any]:
    """What is in the file. It is kept for the confirmation if nothing speaks against it."""
    partner = membership.organization
    file, seats = SubOrgFile(content), Seats.of(partner, clock.now())
    found: dict[str, Any] = {"found": Comparison(file, partner), "seats": seats}
    if found["found"].problems:
        return found
    try:
        seats.require(len(file.sub_orgs))
    except NoSeat as refusal:
        return found | {"refusal": refusal}
    found |= {"digest": keep(content, membership.user, partner.pk), "key": uuid4()}
    return found | {"shown": file.sub_orgs[:ROWS_SHOWN]}


@organization_view(duty=Duty.MANAGE, kinds=PARTNERS, refused=upload_page)
@require_POST
def confirm_import(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Take the seats and begin to invite."""
    partner = membership.organization
    content = kept(request.POST.get("digest", ""), membership.user, partner.pk)
    begun = confirm(
        SubOrgFile(content),
        partner=partner,
        by=membership.user,
        at=clock.now(),
        key=_key(request.POST.get("key", "")),
    )
    sentence = f"The invitations go out now, {begun.total:,} of them."
    return done(request, sentence, reverse("sub-org-import", args=[partner.slug, begun.pk]))


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("Something went wrong with this form. Upload the file once more.") from None


@organization_view(duty=Duty.MANAGE, kinds=PARTNERS)
@require_GET
def import_page(request: HttpRequest, membership: Membership, import_id: UUID) -> HttpResponse:
    """How far an import is; at its end, who was not invited and why."""
    imports = SubOrgImport.objects.of(membership.organization).select_related("confirmed_by")
    own = get_object_or_404(imports, pk=import_id)
    if wants_fragment(request):
        if own.is_under_way:
            return render(request, "connections/sub_org_imports/_progress.html", {"import": own})
        # The whole page: the result takes the place of the progress.
        return HttpResponse(headers={"HX-Refresh": "true"})
    refused = Paginator(own.rows.refused().order_by("line"), PAGE)
    context = {"import": own, "page": refused.get_page(request.GET.get("page"))}
    return render(request, "connections/sub_org_imports/detail.html", context)
