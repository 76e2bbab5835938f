"""What the pages of the admin show besides their own rows."""

from typing import Any

from django import template
from django.db.models import Q

from connections.models import Connection, Event, Organization, User
from connections.timeline import Entry, timeline
from revampd.staff.attention import Item
from revampd.staff.attention import needs_attention as attention

register = template.Library()

NEWEST = 100


@register.simple_tag(takes_context=True)
def needs_attention(context: Any) -> list[Item]:
    return attention(context["request"])


@register.simple_tag
def what_happened(row: Any) -> list[Entry]:
    """The newest events about a row; of an organization or connection those that belong to it.

    Of a person it is also what they did themselves.
    """
    about = Q(subject_type=row._meta.label_lower, subject_id=str(row.pk))
    if isinstance(row, Organization):
        about |= Q(organization=row)
    elif isinstance(row, Connection):
        about |= Q(connection=row)
    elif isinstance(row, User):
        about |= Q(actor=row)
    return timeline(Event.objects.filter(about).with_actors().newest_first()[:NEWEST])
