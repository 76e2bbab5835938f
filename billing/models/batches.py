"""Many entries of usage at once: what is new, what is known, and what speaks against the rest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from billing.pricing import Measure, Period
from connections.kinds import Happening
from connections.models import User
from revampd.kit.errors import Conflict, Invalid

from .entries import Meter, Metered, UsageEntry


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an entry cannot be: its place among those given, the field concerned, the sentence."""

    place: int
    field: str
    sentence: str


class UsageRefused(Invalid):
    """Some of many entries cannot be, so that none was entered."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(objections[0].sentence, field=objections[0].field)
        self.objections = objections


class KeyTaken(Conflict):
    """The key stands for something else already."""

    field = "key"


@dataclass(frozen=True)
class Batch:
    """Entries beside the plans and the earlier entries of their connections."""

    meters: Mapping[UUID, Meter]
    new: list[Metered] = field(default_factory=list)
    known: list[UsageEntry] = field(default_factory=list)
    taken: list[Objection] = field(default_factory=list)
    refused: list[Objection] = field(default_factory=list)

    @classmethod
    def sort(
        cls,
        entries: Sequence[UsageEntry],
        earlier: Mapping[tuple[UUID, str], UsageEntry],
        meters: Mapping[UUID, Meter],
    ) -> "Batch":
        """`earlier` is what was entered before, by connection and key."""
        batch, seen = cls(meters), set()
        for place, entry in enumerate(entries):
            name = (entry.connection_id, entry.key)
            before = earlier.get(name)
            if name in seen:
                sentence = f"The key “{entry.key}” stands there twice."
                batch.refused.append(Objection(place, "key", sentence))
            elif before == entry:
                batch.known.append(entry)
            elif before:
                batch.taken.append(Objection(place, "key", _difference(entry, before)))
            else:
                batch._measure(place, entry)
            seen.add(name)
        return batch

    def _measure(self, place: int, entry: UsageEntry) -> None:
        meter = self.meters.get(entry.connection_id)
        try:
            if meter is None:
                raise Invalid("There is no such connection.", field="connection_id")
            self.new.append(meter.measure(entry))
        except Invalid as refusal:
            self.refused.append(Objection(place, refusal.field or "", refusal.sentence))

    @property
    def objections(self) -> list[Objection]:
        return sorted([*self.taken, *self.refused], key=lambda objection: objection.place)

    def told(self, by: User) -> list[Happening]:
        """What is new as events: one a connection, however many rows."""
        entries: dict[UUID, list[UsageEntry]] = defaultdict(list)
        for one in self.new:
            entries[one.entry.connection_id].append(one.entry)
        return [_happening(self.meters[key], own, by) for key, own in entries.items()]


def _happening(meter: Meter, entries: Sequence[UsageEntry], by: User) -> Happening:
    counts = {m: sum(e.quantity for e in entries if e.measure == m) for m in Measure}
    days = [entry.used_on for entry in entries]
    connection = meter.connection
    return Happening(
        subject_id=connection.pk,
        organization_id=connection.provider_id,
        connection_id=connection.pk,
        at=meter.at,
        actor_id=by.pk,
        facts={
            "what": " and ".join(m.counted(count) for m, count in counts.items() if count),
            "days": str(Period(min(days), max(days) + timedelta(days=1))),
        },
    )


def _difference(entry: UsageEntry, before: UsageEntry) -> str:
    """What a key that was used before says otherwise now."""
    names = {"measure": "what is counted", "used_on": "the day", "quantity": "the number"}
    other = [word for name, word in names.items() if getattr(entry, name) != getattr(before, name)]
    said = " and ".join(other)
    return f"The key “{entry.key}” was used before for {before}; this differs in {said}."
