"""Organizations and their members. Details are edited by the verb of the settings page."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from connections.clocks import clock_of_organization
from connections.models import Invitation, Membership, Organization, Role
from revampd.kit import clock
from revampd.kit.admin import AnyModelAdmin, ReadOnlyAdmin, call_verb
from revampd.kit.errors import Invalid
from revampd.kit.forms import refuse

from .acting import staff_of

BREAK = mark_safe("<br>")


class PartnerForm(forms.Form):
    """A new Partner and the address of its first owner."""

    name = forms.CharField(max_length=120)
    email = forms.EmailField(label="E-mail of its first owner", max_length=254)


@admin.register(Organization)
class OrganizationAdmin(AnyModelAdmin):
    """Details can be edited; a Partner is created by inviting its first owner."""

    list_display = ("name", "kind", "state", "number_of_members", "time_zone", "created_at")
    list_filter = ("kind", "state")
    search_fields = ("name", "legal_name", "slug", "billing_email", "=id")
    ordering = ("name",)
    fields = (
        *("name", "kind", "state", "slug", "legal_name", "address", "billing_email"),
        *("tax_number", "time_zone", "members", "created_at"),
    )
    readonly_fields = ("kind", "state", "slug", "members", "created_at")
    change_list_template = "admin/connections/organization/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    @admin.display(description="members", ordering="member_count")
    def number_of_members(self, organization: Any) -> int:
        return int(organization.member_count)

    @admin.display(description="members")
    def members(self, organization: Organization) -> str:
        """Each with a link to the membership, where its role is changed."""
        memberships = organization.memberships.select_related("user").order_by("user__name", "pk")
        rows = (
            (
                reverse("admin:connections_membership_change", args=[one.pk]),
                one.user,
                one.get_role_display(),
            )
            for one in memberships
        )
        return format_html_join(BREAK, '<a href="{}">{}</a>, {}', rows)

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False

    def save_model(self, request: HttpRequest, organization: Any, form: Any, _change: bool) -> None:
        details = {field: form.cleaned_data[field] for field in form.changed_data}
        organization.change_details(by=request.user, **details)

    def get_urls(self) -> list[URLPattern]:
        invite = self.admin_site.admin_view(self.create_partner)
        return [path("partner/", invite, name="create-partner"), *super().get_urls()]

    def create_partner(self, request: HttpRequest) -> HttpResponse:
        """Create a Partner and invite its first owner."""
        if not request.user.has_perm("connections.add_organization"):
            raise PermissionDenied
        form = PartnerForm(request.POST or None)
        if form.is_valid() and (sent := self._invite(request, form)):
            messages.success(request, f"{sent.organization} is invited, at {sent.email}.")
            return HttpResponseRedirect(reverse("admin:connections_organization_changelist"))
        context = self.admin_site.each_context(request) | {
            "title": "Create a Partner and invite its first owner",
            "opts": self.opts,
            "form": form,
        }
        template = "admin/connections/organization/create_partner.html"
        return TemplateResponse(request, template, context, status=422 if form.errors else 200)

    def _invite(self, request: HttpRequest, form: PartnerForm) -> Invitation | None:
        try:
            platform = Organization.objects.platform()
            with clock_of_organization(platform):
                return Invitation.send_to_customer(
                    provider=platform, by=staff_of(request), at=clock.now(), **form.cleaned_data
                )
        except Invalid as refusal:
            refuse(form, refusal)
            return None


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "organization", "role", "joined_at")
    list_filter = ("role", "organization__kind")
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name")
    ordering = ("organization__name", "user__name")
    actions = ("make_owner", "remove")

    @admin.action(description="Make owner", permissions=["verb"])
    def make_owner(self, request: HttpRequest, members: QuerySet[Membership]) -> None:
        staff = staff_of(request)
        call_verb(request, members, lambda m: m.change_role(Role.OWNER, by=staff), "{} made owner.")

    @admin.action(description="Remove from the organization", permissions=["verb"])
    def remove(self, request: HttpRequest, members: QuerySet[Membership]) -> None:
        staff = staff_of(request)
        call_verb(request, members, lambda member: member.end(by=staff), "{} removed.")
