from django.urls import path

from . import clock, views

app_name = "demo"

urlpatterns = [
    path("sign-in/<slug:key>/", views.sign_in, name="sign-in"),
    path("clock/", clock.clock_page, name="clock"),
    path("clock/<uuid:move_id>/", clock.clock_move, name="clock-move"),
    path("mail/", views.mail_list, name="mail-list"),
    path("mail/<slug:key>/", views.mail_detail, name="mail"),
]
