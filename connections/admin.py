"""People, organizations, invitations and what happened, for staff.

Names and addresses can be edited, through the same verb as on the settings page. Everything else
changes through actions, which call verbs too, or not at all.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from revampd.kit import clock
from revampd.kit.acts import Act, act_page
from revampd.kit.admin import AnyModelAdmin, ReadOnlyAdmin, Waiting, WaitingFilter, call_verb
from revampd.kit.errors import Invalid, NotAllowed
from revampd.kit.forms import refuse

from . import viewing
from .clocks import clock_of_organization, now_of_organization
from .kinds import KINDS, in_words, kind_of
from .models import (
    Connection,
    Event,
    Invitation,
    Membership,
    Organization,
    Outbox,
    Role,
    User,
    Viewing,
)
from .models.viewings import REASON_LENGTH

# allauth's sign-in has the rate limits and the second factor; the admin's own has neither.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.index_title = "Today"

if TYPE_CHECKING:
    AnyTabularInline = admin.TabularInline[Any, Any]
else:
    AnyTabularInline = admin.TabularInline

APPOINTED = ("is_staff", "groups")
ONLY_SUPERUSERS = ("is_superuser", "user_permissions")


@admin.register(User)
class UserAdmin(AnyModelAdmin):
    """People come by invitation and never go; what staff do here is close or open an account.

    Who is staff, and in which roles, is said here too. Name and address are the person's own to
    change. From here staff look at the pages as the person does.
    """

    list_display = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = (
        *("email", "name", "time_zone", "is_active", *APPOINTED, *ONLY_SUPERUSERS),
        *("last_login", "joined"),
    )
    filter_horizontal = ("groups", "user_permissions")

    @admin.display(description="joined")
    def joined(self, user: User) -> Any:
        return user.date_joined

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, user: Any = None) -> bool:
        if not super().has_change_permission(request, user):
            return False
        try:
            return user is None or user.require_keeper(_staff(request)) is None
        except NotAllowed:
            return False

    def get_readonly_fields(self, request: HttpRequest, _user: Any = None) -> tuple[str, ...]:
        fixed = ["email", "name", "time_zone", "last_login", "joined"]
        if not request.user.has_perm("connections.appoint_staff"):
            fixed += APPOINTED
        if not _staff(request).is_superuser:
            fixed += ONLY_SUPERUSERS
        return tuple(fixed)

    def save_model(self, request: HttpRequest, user: Any, form: Any, _change: bool) -> None:
        """By the verb; `form` keeps what it has of permissions afterwards."""
        given = {name: form.cleaned_data[name] for name in form.changed_data}
        given.pop("user_permissions", None)
        User.objects.get(pk=user.pk).change_account(by=_staff(request), **given)

    def get_urls(self) -> list[URLPattern]:
        view_as = self.admin_site.admin_view(self.view_as)
        return [path("<int:user_id>/view-as/", view_as, name="view-as"), *super().get_urls()]

    def view_as(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Look at the pages as this person does, for a while."""
        person = get_object_or_404(User, pk=user_id)
        form = ViewingForm(request.POST or None)
        minutes = settings.VIEW_AS_MINUTES

        def begin() -> str:
            reason, now = form.cleaned_data["reason"], timezone.now()
            viewing.begin(request, Viewing.begin(person, reason=reason, by=_staff(request), at=now))
            return f"You see what {person} sees, for {minutes} minutes."

        act = Act(
            title=f"Look at the pages as {person}",
            words=f"You see what they see for {minutes} minutes, and can change nothing: neither "
            "approve nor pay, nor mark anything as read. Their organizations' records say that you "
            "looked, and why.",
            submit="Begin",
            back=reverse("admin:connections_user_change", args=[person.pk]),
            then=reverse("home"),
        )
        return act_page(self, request, act, form, begin, permission="connections.view_as")


class ViewingForm(forms.Form):
    """Why one looks as somebody else."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        help_text="It is kept, and stands in the records of their organizations.",
        widget=forms.TextInput({"class": "vTextField"}),
    )


@admin.register(Viewing)
class ViewingAdmin(ReadOnlyAdmin):
    """Who of the staff looked at the pages as whom, and why."""

    list_display = ("started_at", "staff", "person", "reason", "until", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("staff", "person")
    search_fields = ("=staff__email", "=person__email", "reason")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)


class MembershipInline(AnyTabularInline):
    model = Membership
    fields = readonly_fields = ("user", "role", "joined_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False


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
        *("tax_number", "time_zone", "created_at"),
    )
    readonly_fields = ("kind", "state", "slug", "created_at")
    inlines = (MembershipInline,)
    change_list_template = "admin/connections/organization/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(members=Count("memberships"))

    @admin.display(description="members", ordering="members")
    def number_of_members(self, organization: Any) -> int:
        return int(organization.members)

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
                    provider=platform, by=_staff(request), at=clock.now(), **form.cleaned_data
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
        staff = _staff(request)
        call_verb(request, members, lambda m: m.change_role(Role.OWNER, by=staff), "{} made owner.")

    @admin.action(description="Remove from the organization", permissions=["verb"])
    def remove(self, request: HttpRequest, members: QuerySet[Membership]) -> None:
        staff = _staff(request)
        call_verb(request, members, lambda member: member.end(by=staff), "{} removed.")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = (
        *("email", "organization", "role", "state", "invited_by"),
        *("invited_at", "expires_at", "accepted_by"),
    )
    list_filter = ("state", "role", "organization__kind")
    list_select_related = ("organization", "invited_by", "accepted_by")
    search_fields = ("email", "organization__name")
    date_hierarchy = "invited_at"
    ordering = ("-invited_at",)
    actions = ("resend", "withdraw")

    @admin.action(description="Send again, with a new link", permissions=["verb"])
    def resend(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        staff = _staff(request)

        def resend(invitation: Invitation) -> None:
            invitation.resend(by=staff, at=now_of_organization(invitation.sender))

        call_verb(request, invitations, resend, "{} sent again.")

    @admin.action(description="Withdraw", permissions=["verb"])
    def withdraw(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        staff = _staff(request)

        def withdraw(invitation: Invitation) -> None:
            invitation.withdraw(by=staff, at=now_of_organization(invitation.sender))

        call_verb(request, invitations, withdraw, "{} withdrawn.")


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = (
        *("customer", "provider", "state", "currency"),
        *("sales_owner", "support_owner", "active_since", "created_at"),
    )
    list_filter = ("state", "provider_kind", "customer_kind", "currency")
    list_select_related = (
        *("provider", "customer"),
        *("sales_owner__user", "sales_owner__organization"),
        *("support_owner__user", "support_owner__organization"),
    )
    search_fields = ("provider__name", "customer__name", "id")
    ordering = ("customer__name",)


class CodeFilter(admin.SimpleListFilter):
    """By kind, from the list of kinds: the rows are too many to ask which there are."""

    title = "kind"
    parameter_name = "code"

    def lookups(self, *_: object) -> list[tuple[str, str]]:
        return [(code, code) for code in sorted(KINDS)]

    def queryset(self, _request: HttpRequest, events: QuerySet[Event]) -> QuerySet[Event]:
        return events.filter(code=self.value()) if self.value() else events


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "code", "actor", "in_words", "organization", "connection")
    list_filter = (CodeFilter, "organization__kind")
    list_select_related = ("actor", "organization", "connection__provider", "connection__customer")
    search_fields = ("=subject_id", "=actor__email", "organization__name")
    search_help_text = "The id of an object, the e-mail of who acted, or an organization's name."
    date_hierarchy = "at"
    ordering = ("-id",)

    @admin.display(description="what happened")
    def in_words(self, event: Event) -> str:
        return in_words(kind_of(event).sentence, event)


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    """What nobody has been told yet. A row with a problem waits until it is released."""

    waiting = {
        "set-aside": Waiting(
            "Events of which nobody could be told",
            "event__recorded_at",
            lambda rows: rows.exclude(problem=""),
        )
    }
    list_filter = (WaitingFilter,)
    list_display = ("event_link", "recorded_at", "problem")
    list_select_related = ("event",)
    search_fields = ("event__code", "problem")
    ordering = ("event_id",)
    actions = ("release",)

    @admin.display(description="event")
    def event_link(self, waiting: Outbox) -> str:
        url = reverse("admin:connections_event_change", args=[waiting.event_id])
        return format_html('<a href="{}">{}</a>', url, waiting.event)

    @admin.display(description="recorded")
    def recorded_at(self, waiting: Outbox) -> Any:
        return waiting.event.recorded_at

    @admin.action(description="Try again to tell", permissions=["verb"])
    def release(self, request: HttpRequest, rows: QuerySet[Outbox]) -> None:
        call_verb(request, rows, lambda row: row.release(), "{} released.")


def _staff(request: HttpRequest) -> User:
    """The person who acts; the admin lets only signed-in staff this far."""
    return request.user  # type: ignore[return-value]
