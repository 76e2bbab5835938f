"""What Stripe answers, in the words of the port: its errors, and its objects as dictionaries."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from revampd.kit.money import Money

from .base import (
    BadSignature,
    Claim,
    ClaimState,
    KeyReused,
    MethodDetails,
    Notice,
    Outcome,
    Refused,
    State,
    Subject,
    Unanswered,
    outside_transactions,
)
from .declines import decline

SUBJECTS = {
    "payment_intent": Subject.CHARGE,
    "refund": Subject.REFUND,
    "dispute": Subject.DISPUTE,
    "checkout.session": Subject.SETUP,
}
# Those of an inquiry, and of a dispute that was averted, are not here: no money moves.
CLAIMS = {
    **dict.fromkeys(("needs_response", "under_review"), ClaimState.OPEN),
    **dict.fromkeys(("appeal_needs_response", "appeal_under_review"), ClaimState.OPEN),
    "won": ClaimState.WON,
    "lost": ClaimState.LOST,
}
BRANDS = {"amex": "American Express", "mastercard": "Mastercard", "unionpay": "UnionPay"}
# A refusal of access is no outcome either: with the right key the same order can still be sent.
NO_OUTCOME = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)


@contextmanager
def answered() -> Iterator[None]:
    """What Stripe's library raises, in the words of the port."""
    outside_transactions()
    try:
        yield
    except NO_OUTCOME as error:
        raise Unanswered from error
    except stripe.IdempotencyError as error:
        raise KeyReused("Stripe has seen another request under this key.") from error
    except stripe.StripeError as error:
        raise Refused(f"Stripe refused the request: {error.user_message}") from error


def method_details(session: dict[str, Any]) -> MethodDetails | None:
    """The card that was added in a Checkout Session; None if none was, or not yet."""
    intent = session["setup_intent"] or {}
    if session["status"] != "complete" or intent.get("status") != "succeeded":
        return None
    method = intent["payment_method"]
    card = method["card"]
    return MethodDetails(
        reference=method["id"],
        customer=session["customer"],
        owner=UUID(session["client_reference_id"]),
        brand=BRANDS.get(card["brand"], card["brand"].replace("_", " ").title()),
        last4=card["last4"],
        exp_month=card["exp_month"],
        exp_year=card["exp_year"],
    )


def notice(body: bytes) -> Notice:
    """What an event says whose signature has been verified. Raises BadSignature if it is none."""
    try:
        event = json.loads(body)
        about = event.get("data", {}).get("object", {})
        return Notice(
            event_id=event["id"],
            type=event["type"],
            subject=SUBJECTS.get(about.get("object"), Subject.OTHER),
            reference=about.get("id", ""),
            key=key_of(about),
            at=datetime.fromtimestamp(int(event["created"]), UTC),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSignature("signed, but no event of Stripe's") from error


def key_of(thing: dict[str, Any]) -> UUID | None:
    """Our key of one of Stripe's objects, if it is ours."""
    text = (thing.get("metadata") or {}).get("key") or thing.get("client_reference_id")
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def outcome(intent: dict[str, Any]) -> Outcome:
    """What a PaymentIntent has come to.

    One that has not been tried yet is under way, as seen in the middle of the request that tries.
    """
    reference, error = intent["id"], intent.get("last_payment_error")
    match intent["status"]:
        case "succeeded":
            return Outcome(State.SUCCEEDED, reference)
        case "canceled":
            return Outcome(State.FAILED, reference, decline("canceled"))
        case "requires_action":
            return Outcome(State.ACTION, reference)
        case "requires_payment_method" if error and _code(error) == "authentication_required":
            return Outcome(State.ACTION, reference)
        case "requires_payment_method" if error:
            never_again = error.get("advice_code") == "do_not_try_again"
            return Outcome(State.FAILED, reference, decline(_code(error), never_again=never_again))
    return Outcome(State.PROCESSING, reference)


def _code(error: dict[str, Any]) -> str:
    return str(error.get("decline_code") or error.get("code") or "unknown")


def refund_outcome(refund: dict[str, Any]) -> Outcome:
    match refund["status"]:
        case "succeeded":
            return Outcome(State.SUCCEEDED, refund["id"])
        case "failed" | "canceled":
            return Outcome(State.FAILED, refund["id"], decline("refund_failed"))
    return Outcome(State.PROCESSING, refund["id"])


def claim(dispute: dict[str, Any]) -> Claim | None:
    """What a dispute, with its PaymentIntent expanded, comes to; None for one without money."""
    state = CLAIMS.get(dispute["status"])
    if state is None:
        return None
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return Claim(
        reference=dispute["id"],
        key=key_of(dispute.get("payment_intent") or {}),
        amount=Money(dispute["amount"], dispute["currency"].upper()),
        state=state,
        reason=dispute["reason"],
        respond_by=datetime.fromtimestamp(due, UTC) if due else None,
    )


def with_key(key: UUID, listed: Any) -> dict[str, Any] | None:
    """The object of our key in a list of Stripe's, page by page."""
    things = (thing.to_dict() for thing in listed.auto_paging_iter())
    return next((thing for thing in things if key_of(thing) == key), None)
