"""Pages about people and organizations, and the form about a connection's owners."""

from django.urls import include, path

from .views import invitations, joining, members, owners, profile, settings, viewing

app_name = "connections"

organization = [
    path("members/", members.members_page, name="members"),
    path("members/<int:membership_id>/role/", members.change_role, name="change-role"),
    path("members/<int:membership_id>/removal/", members.remove_member, name="remove-member"),
    path("invitations/", invitations.invite_member, name="invite-member"),
    path(
        "invitations/<uuid:invitation_id>/withdrawal/",
        invitations.withdraw_invitation,
        name="withdraw-invitation",
    ),
    path("settings/", settings.settings_page, name="settings"),
    path("settings/details/", settings.change_details, name="change-details"),
]

urlpatterns = [
    path("organizations/<slug:slug>/", include(organization)),
    path("connections/<uuid:connection_id>/owners/", owners.name_owners, name="owners"),
    path("invitations/<str:token>/", joining.invitation_page, name="invitation"),
    path(
        "invitations/<str:token>/acceptance/", joining.accept_invitation, name="accept-invitation"
    ),
    path("account/", profile.profile_page, name="profile"),
    path("viewing/end/", viewing.end_viewing, name="end-viewing"),
]
