"""How much mail of the last weeks nobody got, for the home of the organization that sent it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from revampd.kit.prepared import Argument, prepared

from .models import Delivery
from .models.mails import DeliveryQuerySet

RECENTLY = timedelta(days=30)


def undelivered_by(organization: UUID | Argument, since: datetime | Argument) -> DeliveryQuerySet:
    """Mails that failed, and of which nobody read on the page either."""
    own: DeliveryQuerySet = Delivery.objects.filter(organization=organization)
    return own.unheard().filter(due_at__gt=since)


def number_undelivered(organization: UUID) -> int:
    """How many of the last weeks' there are, by real time."""
    return sum(_number(organization, timezone.now() - RECENTLY))


@prepared
def _number(organization: Any, since: Any) -> "QuerySet[Delivery, int]":
    mails = undelivered_by(organization, since).order_by().values("organization")
    numbers: QuerySet[Delivery, int] = mails.annotate(number=Count("pk")).values_list(
        "number", flat=True
    )
    return numbers
