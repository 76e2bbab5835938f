"""People whom one may know, by name and e-mail address; `Membership.objects.found` says who."""

from dataclasses import replace
from typing import Any

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.http import urlencode

from connections.models import Connection, Membership
from revampd.kit.keys import among
from revampd.kit.search import beginnings

from .hits import Asked, Hit, Noun


def rows(mine: Any, **known: Any) -> QuerySet[Any]:
    """By name, each with the connection over which one knows them, unless they are colleagues.

    Who buys is known before who sells.
    """
    owners = Q(sales_owner=OuterRef("pk")) | Q(support_owner=OuterRef("pk"))
    buys = Q(among("provider", mine), customer=OuterRef("organization"))
    helps = owners & Q(among("customer", mine), provider=OuterRef("organization"))
    over = Connection.objects.filter(buys | helps).order_by(
        Case(When(among("provider", mine), then=0), default=1), "created_at"
    )
    found = Membership.objects.found(mine, **known).select_related("user", "organization")
    known_over = found.annotate(connection_id=Subquery(over.values("pk")[:1]))
    return known_over.order_by(Lower("user__name"), "id")


def hit(asked: Asked, member: Any) -> Hit:
    organization, user = member.organization, member.user
    known = Hit(
        title=user.name, detail=f"{member.role_label}, {organization}", face="person", url=""
    )
    if organization.pk in asked.by.organizations:
        members = reverse("connections:members", args=[organization.slug])
        return replace(known, url=f"{members}?{urlencode({'q': user.email})}", aside=user.email)
    overview = reverse("overview", args=[member.connection_id])
    if asked.is_sold(member.connection):
        return replace(known, url=overview, aside=user.email)
    return replace(known, url=overview, detail=f"Your contact at {organization}")


PEOPLE = Noun("people", "People", {"words": beginnings}, rows, hit)
