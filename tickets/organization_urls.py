"""Tickets of all customers of a seller, below /organizations/<slug>/tickets/."""

from django.urls import path

from .views import lists

app_name = "ticket-manager"

urlpatterns = [
    path("", lists.organization_tickets, name="tickets"),
    path("export/", lists.export_organization_tickets, name="export-tickets"),
]
