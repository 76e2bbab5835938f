"""The words of a notification: title, body and facts, the same on pages and in mails."""

from connections.kinds import Telling, in_words, kind_of, readable
from connections.models import Event

from .models import Notification

TITLE_LENGTH: int = Notification._meta.get_field("title").max_length  # type: ignore[assignment]


def told_to(event: Event, side: str = "") -> Telling:
    """What that side reads; without one, what somebody reads who is not a member yet.

    Raises LookupError if the kind of the event no longer tells them.
    """
    kind = kind_of(event)
    tellings = {"PROVIDER": kind.provider, "CUSTOMER": kind.customer, "MEMBER": kind.members}
    telling = tellings.get(side, kind.mailed)
    if telling is None:
        raise LookupError(f"Events of the kind {event.code} are not told to {side or 'anybody'}.")
    return telling


def title_of(telling: Telling, event: Event) -> str:
    """One line, cut where the column ends."""
    words = " ".join(in_words(telling.title, event).split())
    if len(words) <= TITLE_LENGTH:
        return words
    return words[: TITLE_LENGTH - 1].rstrip() + "…"


def body_of(telling: Telling, event: Event) -> str:
    return in_words(telling.body, event)


def facts_of(event: Event) -> list[tuple[str, str]]:
    """(label, text) of every fact that is not empty; instants in the active time zone."""
    facts = [(label, readable(event.facts.get(key))) for key, label in kind_of(event).facts]
    return [(label, text) for label, text in facts if text]
