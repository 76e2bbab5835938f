from django.urls import path

from .models import AddOn, OneTimeCharge
from .views import catalog

app_name = "catalog"

ADD_ON, CHARGE = {"model": AddOn}, {"model": OneTimeCharge}

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
    path("add-ons/new/", catalog.offer_extra, ADD_ON, name="offer-add-on"),
    path("add-ons/<uuid:item_id>/", catalog.change_extra, ADD_ON, name="change-add-on"),
    path("add-ons/<uuid:item_id>/archival/", catalog.archive_extra, ADD_ON, name="archive-add-on"),
    path("one-time-charges/new/", catalog.offer_extra, CHARGE, name="offer-charge"),
    path("one-time-charges/<uuid:item_id>/", catalog.change_extra, CHARGE, name="change-charge"),
    path(
        "one-time-charges/<uuid:item_id>/archival/",
        catalog.archive_extra,
        CHARGE,
        name="archive-charge",
    ),
]
