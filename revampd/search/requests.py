"""Requests, by what is asked for, price and reference."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from billing.models import BillingRequest
from billing.templatetags.billing import request_state
from revampd.kit.money import typed_minor
from revampd.kit.search import beginnings, uuid_in

from .hits import Asked, Hit, Noun


def rows(mine: Any, **known: Any) -> QuerySet[Any]:
    return BillingRequest.objects.found(mine, **known).newest_first()


def hit(asked: Asked, request: BillingRequest) -> Hit:
    connection = request.connection
    return Hit(
        title=request.item_name,
        detail=f"{request.reference}, {asked.other_side(connection)}",
        url=reverse("billing:request", args=[connection.pk, request.pk]),
        icon="request",
        on=request.proposed_at,
        state=request_state(request),
        amount=str(request.price),
    )


READS = {
    "words": beginnings,
    "pk": uuid_in,
    "reference": BillingRequest.reference_in,
    "price": typed_minor,
}
REQUESTS = Noun("requests", "Requests", READS, rows, hit)
