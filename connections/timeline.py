"""What happened, as pages show it: events in words, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.text import capfirst

from .kinds import in_words, kind_of, readable
from .models.events import Event


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    title: str
    actor: str
    at: datetime
    icon: str = "dot"
    tone: str = ""
    note: str = ""


def timeline(events: Iterable[Event]) -> list[Entry]:
    """`events` (read with their actors) in words; what nobody did, Revampd did."""
    return [
        Entry(
            title=capfirst(in_words(kind_of(event).sentence, event)),
            actor=event.actor.name if event.actor else "Revampd",
            at=event.at,
            icon=kind_of(event).icon or "dot",
            tone=kind_of(event).tone,
            note=_changes(event),
        )
        for event in events
    ]


def _changes(event: Event) -> str:
    """What stood there before and what came instead, for events that keep both."""
    before, after = event.facts.get("before"), event.facts.get("after")
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return ""
    return "; ".join(
        f"{_label(event, field)}: {_quoted(before[field])} → {_quoted(value)}"
        for field, value in after.items()
    )


def _label(event: Event, field: str) -> str:
    model = apps.get_model(event.subject_type)
    return capfirst(str(getattr(model._meta.get_field(field), "verbose_name", field)))


def _quoted(value: Any) -> str:
    return " ".join(readable(value).split()) or "nothing"
