from django.urls import path

from . import views

app_name = "demo"

urlpatterns = [
    path("sign-in/<slug:key>/", views.sign_in, name="sign-in"),
    path("mail/", views.mail_list, name="mail-list"),
    path("mail/<slug:key>/", views.mail_detail, name="mail"),
]
