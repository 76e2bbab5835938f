"""Connections, by the name of the other side."""

from typing import Any

from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Lower
from django.urls import reverse

from connections.models import Connection
from revampd.kit.keys import among
from revampd.kit.search import beginnings, uuid_in
from revampd.templatetags.ui import state_badge

from .hits import Asked, Hit, Noun


def rows(mine: Any, *, text: Any, **known: Any) -> QuerySet[Any]:
    """By name; one that begins with what was typed comes first."""
    found = Connection.objects.found(mine, **known).select_related("provider", "customer")
    sold = When(among("provider", mine), then=F("customer__name"))
    named = found.alias(name=Case(sold, default=F("provider__name")))
    first = Case(When(name__istartswith=text, then=0), default=1)
    return named.order_by(first, Lower("name"), "id")


def hit(asked: Asked, connection: Connection) -> Hit:
    sold = asked.is_sold(connection)
    own = connection.provider if sold else connection.customer
    return Hit(
        title=asked.other_side(connection).name,
        detail=f"{'Buys from' if sold else 'Sells to'} {own}",
        url=reverse("overview", args=[connection.pk]),
        face="company",
        state=state_badge(connection.get_state_display(), connection.tone),
    )


READS = {"text": str, "words": beginnings, "pk": uuid_in}
CONNECTIONS = Noun("connections", "Connections", READS, rows, hit)
