"""Stripe, through its official library.

Methods are added on Stripe's Checkout page in setup mode; invoices are charged off-session, and a
charge that the bank wants confirmed is confirmed on Stripe's page. Each object carries our key in
its metadata. A charge whose reference got lost is found in the list of its customer's payments,
which is always up to date; Stripe's search is not. Stripe forgets idempotency keys after a day or
more; until then the key alone keeps a repetition from being a second charge, and after that nothing
can be under way any more that the list does not show.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings

from . import signing
from .base import (
    BadSignature,
    ChargeOrder,
    CustomerRef,
    KeyReused,
    MethodDetails,
    Notice,
    Outcome,
    RefundOrder,
    Refused,
    Setup,
    State,
    Subject,
    Unanswered,
    outside_transactions,
)
from .declines import decline

TIMEOUT = (4, 20)  # seconds to connect, and to answer
PAGE = 100  # the most that Stripe lists at once
TOO_EXTREME = {"amount_too_small", "amount_too_large"}
SUBJECTS = {
    "payment_intent": Subject.CHARGE,
    "refund": Subject.REFUND,
    "checkout.session": Subject.SETUP,
}
# A refusal of access is no outcome either: with the right key the same order can still be sent.
NO_OUTCOME = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)


def connected() -> "StripeGateway":
    """The adapter with this site's keys, one for all, so that connections are kept open."""
    return _adapter(
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE
    )


@lru_cache
def _adapter(secret_key: str, webhook_secret: str, api_base: str) -> "StripeGateway":
    return StripeGateway(secret_key, webhook_secret, api_base=api_base)


class StripeGateway:
    """The port, spoken to Stripe. `api_base` is another address than Stripe's own, for tests."""

    name = "stripe"

    def __init__(
        self,
        secret_key: str,
        webhook_secret: str,
        *,
        api_base: str = "",
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self._webhook_secret = webhook_secret
        self._http = stripe.RequestsClient(timeout=timeout)
        # Repeating is left to whoever recorded the attempt.
        client = stripe.StripeClient(
            secret_key,
            http_client=self._http,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=0,
        )
        self._api = client.v1

    def close(self) -> None:
        """Let go of the connection that this thread keeps open."""
        self._http.close()

    # Methods

    def begin_setup(self, customer: CustomerRef, return_url: str, /) -> Setup:
        with _answered():
            known = customer.reference or self._create_customer(customer)
            session = self._api.checkout.sessions.create(
                {
                    "mode": "setup",
                    "customer": known,
                    "payment_method_types": ["card"],
                    "client_reference_id": str(customer.key),
                    "success_url": return_url,
                    "cancel_url": return_url,
                }
            )
        if not session.url:
            raise Refused("Stripe opened no page for adding a card.")
        return Setup(session.id, session.url, known)

    def _create_customer(self, customer: CustomerRef) -> str:
        created = self._api.customers.create(
            {
                "name": customer.name,
                "email": customer.email,
                "metadata": {"key": str(customer.key)},
            }
        )
        return created.id

    def finish_setup(self, reference: str, /) -> MethodDetails | None:
        with _answered():
            found = self._api.checkout.sessions.retrieve(
                reference, {"expand": ["setup_intent.payment_method"]}
            )
        session = found.to_dict()
        intent = session["setup_intent"] or {}
        if session["status"] != "complete" or intent.get("status") != "succeeded":
            return None
        method = intent["payment_method"]
        card = method["card"]
        return MethodDetails(
            reference=method["id"],
            customer=session["customer"],
            owner=UUID(session["client_reference_id"]),
            brand=_brand(card),
            last4=card["last4"],
            exp_month=card["exp_month"],
            exp_year=card["exp_year"],
        )

    def detach(self, method: str, /) -> None:
        with _answered():
            try:
                self._api.payment_methods.detach(method)
            except stripe.InvalidRequestError:
                if self._owner(method) is not None:
                    raise

    def _owner(self, method: str) -> str | None:
        """The customer that a method is attached to; None if it is gone or detached."""
        try:
            found = self._api.payment_methods.retrieve(method)
        except stripe.InvalidRequestError:
            return None
        owner: str | None = found.to_dict().get("customer")
        return owner

    # Charges

    def charge(self, order: ChargeOrder, /) -> Outcome:
        with _answered():
            try:
                return self._charge(order)
            except stripe.CardError as error:
                return self._declined(error)
            except stripe.InvalidRequestError as error:
                if error.code in TOO_EXTREME:
                    return Outcome(State.FAILED, "", decline(str(error.code)))
                if self._owner(order.method) != order.customer:
                    return Outcome(State.FAILED, "", decline("method_gone"))
                raise

    def _charge(self, order: ChargeOrder) -> Outcome:
        intent = self._api.payment_intents.create(
            {
                "amount": order.amount.minor,
                "currency": order.amount.currency.lower(),
                "customer": order.customer,
                "payment_method": order.method,
                "payment_method_types": ["card"],
                "description": order.description,
                "metadata": {"key": str(order.key)},
                "off_session": True,
                "confirm": True,
            },
            {"idempotency_key": f"charge-{order.key}"},
        )
        response = intent.last_response
        return self._current(intent.to_dict(), response.headers if response else {})

    def _declined(self, error: stripe.CardError) -> Outcome:
        body: Any = error.json_body
        intent = body["error"].get("payment_intent")
        if intent is None:
            return Outcome(State.FAILED, "", decline(str(error.code)))
        return self._current(intent, error.headers or {})

    def _current(self, intent: dict[str, Any], headers: Mapping[str, str]) -> Outcome:
        """The outcome of an answer. One that Stripe has repeated may have been overtaken since."""
        outcome = _outcome(intent)
        if outcome.is_final or "Idempotent-Replayed" not in headers:
            return outcome
        return _outcome(self._intent(intent["id"]))

    def _intent(self, reference: str) -> dict[str, Any]:
        return self._api.payment_intents.retrieve(reference).to_dict()

    def look_up(self, order: ChargeOrder, reference: str = "", /) -> Outcome | None:
        with _answered():
            if reference:
                return _outcome(self._intent(reference))
            listed = self._api.payment_intents.list({"customer": order.customer, "limit": PAGE})
            intents = (intent.to_dict() for intent in listed.auto_paging_iter())
            return next((_outcome(i) for i in intents if _key(i) == order.key), None)

    def authorization_url(self, reference: str, return_url: str, /) -> str:
        with _answered():
            intent = self._intent(reference)
            if _outcome(intent).state is not State.ACTION:
                return return_url
            if intent["status"] != "requires_action":
                intent = self._confirm(intent, return_url)
        action = (intent.get("next_action") or {}).get("redirect_to_url") or {}
        return str(action.get("url") or return_url)

    def _confirm(self, intent: dict[str, Any], return_url: str) -> dict[str, Any]:
        """Try again, now that the customer is here; a decline is found when it is looked up."""
        method = intent["last_payment_error"]["payment_method"]["id"]
        try:
            confirmed = self._api.payment_intents.confirm(
                intent["id"], {"payment_method": method, "return_url": return_url}
            )
        except stripe.CardError:
            return {}
        return confirmed.to_dict()

    def cancel(self, reference: str, /) -> Outcome:
        with _answered():
            try:
                canceled = self._api.payment_intents.cancel(reference)
            except stripe.InvalidRequestError:  # it has come to its end meanwhile
                return _outcome(self._intent(reference))
            return _outcome(canceled.to_dict())

    # Refunds

    def refund(self, order: RefundOrder, /) -> Outcome:
        with _answered():
            refund = self._api.refunds.create(
                {
                    "payment_intent": order.charge,
                    "amount": order.amount.minor,
                    "metadata": {"key": str(order.key)},
                },
                {"idempotency_key": f"refund-{order.key}"},
            )
            # A repeated answer may have been overtaken, as that of a charge.
            return _refund_outcome(self._api.refunds.retrieve(refund.id).to_dict())

    def look_up_refund(self, order: RefundOrder, reference: str = "", /) -> Outcome | None:
        with _answered():
            if reference:
                return _refund_outcome(self._api.refunds.retrieve(reference).to_dict())
            listed = self._api.refunds.list({"payment_intent": order.charge, "limit": PAGE})
            refunds = (refund.to_dict() for refund in listed.auto_paging_iter())
            return next((_refund_outcome(r) for r in refunds if _key(r) == order.key), None)

    # Webhooks

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        signing.verify(body, headers.get(signing.HEADER, ""), self._webhook_secret, at=at)
        try:
            event = json.loads(body)
            about = event.get("data", {}).get("object", {})
            return Notice(
                event_id=event["id"],
                type=event["type"],
                subject=SUBJECTS.get(about.get("object"), Subject.OTHER),
                reference=about.get("id", ""),
                key=_key(about),
                at=datetime.fromtimestamp(int(event["created"]), UTC),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature("signed, but no event of Stripe's") from error


@contextmanager
def _answered() -> Iterator[None]:
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


def _key(thing: dict[str, Any]) -> UUID | None:
    """Our key of one of Stripe's objects, if it is ours."""
    text = (thing.get("metadata") or {}).get("key") or thing.get("client_reference_id")
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _brand(card: dict[str, Any]) -> str:
    brand = str(card["brand"])
    names = {"amex": "American Express", "mastercard": "Mastercard", "unionpay": "UnionPay"}
    return names.get(brand, brand.replace("_", " ").title())


def _outcome(intent: dict[str, Any]) -> Outcome:
    """What a payment has come to.

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


def _refund_outcome(refund: dict[str, Any]) -> Outcome:
    match refund["status"]:
        case "succeeded":
            return Outcome(State.SUCCEEDED, refund["id"])
        case "failed" | "canceled":
            return Outcome(State.FAILED, refund["id"], decline("refund_failed"))
    return Outcome(State.PROCESSING, refund["id"])
