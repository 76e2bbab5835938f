"""Pages below /organizations/<slug>/notifications/."""

from django.urls import path

from .views import defaults, mail

app_name = "organization-notifications"

urlpatterns = [
    path("", defaults.suggest_defaults, name="defaults"),
    path("mail/", mail.mail_list, name="mail"),
    path("mail/<uuid:delivery_id>/sending/", mail.send_again, name="send-again"),
]
