"""The site map of a demo: tests run in test mode, where `revampd.urls` leaves the demo out."""

from django.urls import include, path

import revampd.urls

urlpatterns = [*revampd.urls.urlpatterns, path("demo/", include("revampd.demo.urls"))]
