"""The vocabulary of refusal: what a verb raises when the business says no.

A verb raises a `DomainError` with the sentence that the user reads; `revampd.kit.middleware`
answers it with the status of its class. Each app defines its refusals beside the verb.
"""

from http import HTTPStatus


class DomainError(Exception):
    """A refusal that the product foresees. `str(error)` is the sentence that the user reads."""

    status = HTTPStatus.CONFLICT

    def __init__(self, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step

    def __str__(self) -> str:
        return self.sentence


class Conflict(DomainError):
    """The state is no longer what the person saw: somebody else was faster (409)."""


class NotAllowed(DomainError):
    """The person may see the thing but not do this with it (403)."""

    status = HTTPStatus.FORBIDDEN


class TooLarge(DomainError):
    """More was sent than is read (413)."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(DomainError):
    """Something outside that this needs does not answer; it can be tried again (503)."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Invalid(DomainError):
    """What was asked for cannot be (422). `field` names the form field it belongs to, if any."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, sentence: str, *, field: str | None = None, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field
