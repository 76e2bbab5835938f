"""Pages below /notifications/."""

from django.urls import path

from .views import listing, preferences

app_name = "notifications"

urlpatterns = [
    path("", listing.notification_list, name="list"),
    path("bell/", listing.bell, name="bell"),
    path("reading/", listing.read_all, name="read-all"),
    path("preferences/", preferences.choose_preferences, name="preferences"),
    path("preferences/address/", preferences.try_address, name="try-address"),
    path("<int:pk>/", listing.show_notification, name="open"),
    path("<int:pk>/opening/", listing.open_notification, name="opening"),
    path("<int:pk>/reading/", listing.read_notification, name="read"),
]
