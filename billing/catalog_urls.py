from django.urls import path

from .views import catalog, extras

app_name = "catalog"

# /organizations/<slug>/catalog/
urlpatterns = [
    path("", catalog.catalog_page, name="catalog"),
    path("plans/new/", catalog.launch_plan, name="launch-plan"),
    path("plans/<uuid:plan_id>/", catalog.plan_detail, name="plan"),
    path("plans/<uuid:plan_id>/details/", catalog.change_plan, name="change-plan"),
    path("plans/<uuid:plan_id>/versions/new/", catalog.publish_version, name="publish-version"),
    path(
        "plans/<uuid:plan_id>/versions/<int:number>/retirement/",
        catalog.retire_version,
        name="retire-version",
    ),
    path("plans/<uuid:plan_id>/archival/", catalog.archive_plan, name="archive-plan"),
    path("add-ons/new/", extras.offer_add_on, name="offer-add-on"),
    path("add-ons/<uuid:add_on_id>/", extras.change_add_on, name="change-add-on"),
    path("add-ons/<uuid:add_on_id>/archival/", extras.archive_add_on, name="archive-add-on"),
    path("one-time-charges/new/", extras.offer_charge, name="offer-charge"),
    path("one-time-charges/<uuid:charge_id>/", extras.change_charge, name="change-charge"),
    path(
        "one-time-charges/<uuid:charge_id>/archival/", extras.archive_charge, name="archive-charge"
    ),
]
