"""People whom one may know, by name and e-mail address; `Membership.objects.found` says who."""

from dataclasses import replace
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.http import urlencode

from connections.models import Connection, Membership

from .hits import Asked, Hit, Noun


def rows(asked: Asked) -> QuerySet[Any]:
    """By name, each with the connection over which one knows them: `sold_to` or `helped_by`."""
    mine = asked.by.organizations
    sold_to = Q(provider__in=mine, customer=OuterRef("organization"))
    owners = Q(sales_owner=OuterRef("pk")) | Q(support_owner=OuterRef("pk"))
    found = Membership.objects.found(asked.text, by=asked.by).select_related("user", "organization")
    known = found.annotate(sold_to=_first(sold_to), helped_by=_first(owners & Q(customer__in=mine)))
    return known.order_by(Lower("user__name"), "id")


def _first(connection: Q) -> Subquery:
    return Subquery(Connection.objects.filter(connection).order_by("created_at").values("pk")[:1])


def hit(asked: Asked, member: Any) -> Hit:
    organization, user = member.organization, member.user
    known = Hit(
        title=user.name, detail=f"{member.role_label}, {organization}", face="person", url=""
    )
    if organization.pk in asked.by.organizations:
        members = reverse("connections:members", args=[organization.slug])
        return replace(known, url=f"{members}?{urlencode({'q': user.email})}", aside=user.email)
    if member.sold_to:
        return replace(known, url=reverse("overview", args=[member.sold_to]), aside=user.email)
    overview = reverse("overview", args=[member.helped_by])
    return replace(known, url=overview, detail=f"Your contact at {organization}")


PEOPLE = Noun("people", "People", rows, hit)
