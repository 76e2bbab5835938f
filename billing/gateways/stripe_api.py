"""Stripe, through its official library.

Methods are added on Stripe's Checkout page in setup mode; invoices are charged off-session, and a
charge that the bank wants confirmed is confirmed on Stripe's page. Each object carries our key in
its metadata. A charge whose reference got lost is found in the list of its customer's payments,
which is always up to date; Stripe's search is not. Stripe forgets idempotency keys after a day or
more; until then the key alone keeps a repetition from being a second charge, and after that nothing
can be under way any more that the list does not show.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from . import signing
from .base import (
    ChargeOrder,
    Claim,
    CustomerRef,
    Disputed,
    MethodDetails,
    Notice,
    Outcome,
    RefundOrder,
    Refused,
    Setup,
    State,
)
from .declines import decline
from .stripe_answers import (
    answered,
    claim,
    method_details,
    notice,
    outcome,
    refund_outcome,
    with_key,
)
from .stripe_client import TIMEOUT, client

PAGE = 100  # the most that Stripe lists at once
TOO_EXTREME = {"amount_too_small", "amount_too_large"}


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
        self._http, self._api = client(secret_key, api_base=api_base, timeout=timeout)

    def close(self) -> None:
        """Let go of the connection that this thread keeps open."""
        self._http.close()

    # Methods

    def begin_setup(self, customer: CustomerRef, return_url: str, /) -> Setup:
        with answered():
            known = customer.reference or self._create_customer(customer)
            session = self._api.checkout.sessions.create(
                {
                    "mode": "setup",
                    "customer": known,
                    "allowed_payment_method_types": ["card"],
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
        with answered():
            session = self._api.checkout.sessions.retrieve(
                reference, {"expand": ["setup_intent.payment_method"]}
            )
        return method_details(session.to_dict())

    def detach(self, method: str, /) -> None:
        with answered():
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
        with answered():
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
                "allowed_payment_method_types": ["card"],
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
        first = outcome(intent)
        if first.is_final or "Idempotent-Replayed" not in headers:
            return first
        return outcome(self._intent(intent["id"]))

    def _intent(self, reference: str) -> dict[str, Any]:
        return self._api.payment_intents.retrieve(reference).to_dict()

    def look_up(self, order: ChargeOrder, reference: str = "", /) -> Outcome | None:
        with answered():
            if reference:
                return outcome(self._intent(reference))
            listed = self._api.payment_intents.list({"customer": order.customer, "limit": PAGE})
            intent = with_key(order.key, listed)
        return outcome(intent) if intent else None

    def authorization_url(self, reference: str, return_url: str, /) -> str:
        with answered():
            intent = self._intent(reference)
            if outcome(intent).state is not State.ACTION:
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
        with answered():
            try:
                canceled = self._api.payment_intents.cancel(reference)
            except stripe.InvalidRequestError:  # it has come to its end meanwhile
                return outcome(self._intent(reference))
            return outcome(canceled.to_dict())

    # Refunds

    def refund(self, order: RefundOrder, /) -> Outcome:
        with answered():
            try:
                refund = self._api.refunds.create(
                    {
                        "payment_intent": order.charge,
                        "amount": order.amount.minor,
                        "metadata": {"key": str(order.key)},
                    },
                    {"idempotency_key": f"refund-{order.key}"},
                )
            except stripe.InvalidRequestError as error:
                if error.code == "charge_disputed":
                    raise Disputed("The bank disputes the charge.") from error
                raise
            # A repeated answer may have been overtaken, as that of a charge.
            return refund_outcome(self._api.refunds.retrieve(refund.id).to_dict())

    def look_up_refund(self, order: RefundOrder, reference: str = "", /) -> Outcome | None:
        with answered():
            if reference:
                return refund_outcome(self._api.refunds.retrieve(reference).to_dict())
            listed = self._api.refunds.list({"payment_intent": order.charge, "limit": PAGE})
            refund = with_key(order.key, listed)
        return refund_outcome(refund) if refund else None

    # Disputes

    def look_up_dispute(self, reference: str, /) -> Claim | None:
        with answered():
            found = self._api.disputes.retrieve(reference, {"expand": ["payment_intent"]})
        return claim(found.to_dict())

    def disputes(self, since: datetime, /) -> Iterator[Claim]:
        with answered():
            listed = self._api.disputes.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "expand": ["data.payment_intent"],
                    "limit": PAGE,
                }
            )
            claims = [claim(found.to_dict()) for found in listed.auto_paging_iter()]
        return (one for one in claims if one)

    # Webhooks

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        signing.verify(body, headers.get(signing.HEADER, ""), self._webhook_secret, at=at)
        return notice(body)
