"""Pages below /notifications/."""

from django.urls import path

from . import views

app_name = "notifications"

urlpatterns = [
    path("", views.notification_list, name="list"),
    path("bell/", views.bell, name="bell"),
    path("reading/", views.read_all, name="read-all"),
    path("<int:pk>/", views.show_notification, name="open"),
    path("<int:pk>/opening/", views.open_notification, name="opening"),
    path("<int:pk>/reading/", views.read_notification, name="read"),
]
