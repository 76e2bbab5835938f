"""Who is connected to whom, and who is invited."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from connections.clocks import now_of_organization
from connections.models import Connection, Invitation
from revampd.kit.admin import ReadOnlyAdmin, call_verb

from .acting import staff_of


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
        staff = staff_of(request)

        def resend(invitation: Invitation) -> None:
            invitation.resend(by=staff, at=now_of_organization(invitation.sender))

        call_verb(request, invitations, resend, "{} sent again.")

    @admin.action(description="Withdraw", permissions=["verb"])
    def withdraw(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        staff = staff_of(request)

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
