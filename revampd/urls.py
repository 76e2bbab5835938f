"""The site map."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("connections.urls")),
    path("connections/<uuid:connection_id>/", include("billing.urls")),
    path("organizations/<slug:slug>/catalog/", include("billing.catalog_urls")),
    path("notifications/", include("notifications.urls")),
]
