from django.urls import path

from . import views

urlpatterns = [
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<int:pk>/", views.invoices, name="invoice"),
    *(path(f"{name}/", views.invoices, name=name) for name in views.MENU if name != "invoices"),
]
