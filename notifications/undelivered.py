"""How much mail of the last weeks nobody got, for the home of the organization that sent it."""

from datetime import timedelta

from django.utils import timezone

from connections.models import Organization

from .models import Delivery
from .models.mails import DeliveryQuerySet

RECENTLY = timedelta(days=30)


def undelivered_by(organization: Organization) -> DeliveryQuerySet:
    """Mails that failed, and of which nobody read on the page either."""
    failed: DeliveryQuerySet = Delivery.objects.answered_for_by(organization).unheard()
    return failed.filter(due_at__gt=timezone.now() - RECENTLY)
