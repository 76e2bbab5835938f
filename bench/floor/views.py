from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .models import Invoice, Notification, Organization

MENU = (
    *("home", "plan", "requests", "invoices", "wallet"),
    *("methods", "usage", "people", "settings", "help"),
)


@login_required
def invoices(request: HttpRequest) -> HttpResponse:
    """The newest 25 of all invoices."""
    newest = Invoice.objects.select_related("connection__buyer").order_by("-issued_on", "-id")
    context = {
        "organization": Organization.objects.filter(members=request.user).first(),
        "unread": Notification.objects.filter(user=request.user, is_read=False).count(),
        "menu": MENU,
        "invoices": newest[:25],
    }
    return render(request, "floor/page.html", context)
