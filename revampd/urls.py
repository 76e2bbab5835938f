"""The site map."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from billing.gateways import gateway
from notifications.views.unsubscribing import unsubscribe
from notifications.views.webhooks import receive_report
from payouts.affiliates.urls import affiliate_urls, joining_urls, referral_urls

from .staff.finding import find
from .views import (
    charges,
    home,
    invitations,
    manual,
    organization_home,
    overview,
    search,
    site,
    sub_org_imports,
    sub_orgs,
)

sub_org_urls = [
    path("", sub_orgs.sub_orgs, name="sub-orgs"),
    path("export/", sub_orgs.export_sub_orgs, name="export-sub-orgs"),
    path("new/", invitations.invite_sub_org, name="invite-sub-org"),
    path("import/", sub_org_imports.import_sub_orgs, name="import-sub-orgs"),
    path("import/confirmation/", sub_org_imports.confirm_import, name="confirm-sub-org-import"),
    path("imports/<uuid:import_id>/", sub_org_imports.import_page, name="sub-org-import"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("connections/", home.connection_list, name="connection-list"),
    path("help/", manual.help_list, name="help-list"),
    path("help/<slug:topic>/", manual.help_page, name="help"),
    path("search/", search.search_page, name="search"),
    path("search/palette/", search.search_palette, name="search-palette"),
    path("connections/<uuid:connection_id>/", overview.overview, name="overview"),
    path("connections/<uuid:connection_id>/", include("billing.urls")),
    path("connections/<uuid:connection_id>/tickets/", include("tickets.urls")),
    path(
        "connections/<uuid:connection_id>/tickets/<uuid:ticket_id>/charges/new/",
        charges.offer_charge,
        name="offer-charge",
    ),
    path("connections/<uuid:connection_id>/payouts/", include("payouts.urls")),
    path(
        "connections/<uuid:connection_id>/affiliate-payouts/",
        include((affiliate_urls, "affiliates")),
    ),
    path(
        "organizations/<slug:slug>/",
        organization_home.organization_home,
        name="organization-home",
    ),
    path("organizations/<slug:slug>/sub-orgs/", include(sub_org_urls)),
    path("organizations/<slug:slug>/referrals/", include((referral_urls, "referrals"))),
    path("join/<str:code>/", include((joining_urls, "joining"))),
    path(
        "organizations/<slug:slug>/invitations/<uuid:invitation_id>/resending/",
        invitations.resend_invitation,
        name="resend-invitation",
    ),
    path("organizations/<slug:slug>/tickets/", include("tickets.organization_urls")),
    path("organizations/<slug:slug>/catalog/", include("billing.catalog_urls")),
    path("organizations/<slug:slug>/notifications/", include("notifications.organization_urls")),
    path("webhooks/mail/", receive_report, name="mail-webhook"),
    path("webhooks/payouts/", include("payouts.webhook_urls")),
    path("webhooks/", include("billing.webhook_urls")),
    path("unsubscribe/<str:signed>/", unsubscribe, name="unsubscribe"),
    path("notifications/", include("notifications.urls")),
    path("", include("connections.urls")),
    path("accounts/", include("allauth.urls")),
    # allauth's form asks again who one is, and tells by mail.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/find/", admin.site.admin_view(find), name="find"),
    path("admin/", admin.site.urls),
    path("healthz", site.health, name="health"),
    path("readyz", site.readiness, name="readiness"),
]

if settings.IS_DEMO:
    urlpatterns.append(path("demo/", include("revampd.demo.urls")))

if gateway().name == "sandbox":
    urlpatterns.append(path("sandbox/", include("billing.sandbox_urls")))
    urlpatterns.append(path("sandbox/links/", include("payouts.sandbox_urls")))
