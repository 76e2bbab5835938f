"""What happened, as pages show it: events in words, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.text import capfirst

from .kinds import in_words, kind_of
from .models.events import Event


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    title: str
    actor: str
    at: datetime
    icon: str = "dot"


def timeline(events: Iterable[Event]) -> list[Entry]:
    """`events` (read with their actors) in words; what nobody did, Revampd did."""
    return [
        Entry(
            title=capfirst(in_words(kind_of(event).sentence, event)),
            actor=event.actor.name if event.actor else "Revampd",
            at=event.at,
        )
        for event in events
    ]
