"""Stripe Connect, through Stripe's official library.

A Partner links its bank on Stripe's own page, which makes it a connected account of ours. Money
goes there in two steps: a transfer into the balance of the connected account, and a payout from
there to the bank. Each carries our key in its metadata, and in Stripe's idempotency key.

A step whose answer got lost is found again: the transfer by its group, which is our key; the payout
in the list of those to its bank. Both lists are always up to date. So sending an order again goes
on where it stopped, also long after Stripe has forgotten its idempotency keys.

What a bank sends back lies in the balance of the connected account. It is ours again only when the
transfer is reversed, so that is done before anything is said to have failed.

Our reference of a bank account names both: the connected account, and the bank account that was
linked in it. A payout goes to this one alone. Who puts another in its place at Stripe gets nothing
there before we have seen it, told all owners and waited.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from billing.gateways import signing
from billing.gateways.base import (
    BadSignature,
    CustomerRef,
    KeyReused,
    Notice,
    Outcome,
    State,
    Unanswered,
)
from billing.gateways.stripe_answers import answered, key_of, notice, with_key
from billing.gateways.stripe_client import TIMEOUT, client

from .base import BankDetails, Link, TransferOrder
from .failures import GONE, failure

PAGE = 100  # the most that Stripe lists at once
# Not enough money in a balance yet. It comes by itself: of cards that were paid days ago.
TOO_LITTLE = "balance_insufficient"
NOT_READY = {"insufficient_capabilities_for_transfer", "transfers_not_allowed"}

log = logging.getLogger(__name__)


def connected() -> "StripeBank":
    """The adapter with this site's keys, one for all, so that connections are kept open."""
    secrets = tuple(settings.STRIPE_PAYOUT_WEBHOOK_SECRETS)
    return _adapter(settings.STRIPE_SECRET_KEY, secrets, settings.STRIPE_API_BASE)


@lru_cache
def _adapter(secret_key: str, webhook_secrets: tuple[str, ...], api_base: str) -> "StripeBank":
    return StripeBank(secret_key, webhook_secrets, api_base=api_base)


class StripeBank:
    """The port, spoken to Stripe. `api_base` is another address than Stripe's own, for tests."""

    name = "stripe"

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: tuple[str, ...],
        *,
        api_base: str = "",
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self._webhook_secrets = webhook_secrets
        self._http, self._api = client(secret_key, api_base=api_base, timeout=timeout)

    def close(self) -> None:
        """Let go of the connection that this thread keeps open."""
        self._http.close()

    # Accounts

    def begin_link(self, owner: CustomerRef, return_url: str, again_url: str = "", /) -> Link:
        with answered():
            account = owner.reference or self._create_account(owner)
            page = self._api.account_links.create(
                {
                    "account": account,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": again_url or return_url,
                    "collection_options": {"fields": "eventually_due"},
                }
            )
        return Link(account, page.url)

    def _create_account(self, owner: CustomerRef) -> str:
        """One that takes transfers from us, and pays out only when we say so."""
        created = self._api.accounts.create(
            {
                "controller": {
                    "stripe_dashboard": {"type": "express"},
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "settings": {"payouts": {"schedule": {"interval": "manual"}}},
                "business_profile": {"name": owner.name},
                "email": owner.email,
                "metadata": {"key": str(owner.key)},
            }
        )
        return str(created.id)

    def finish_link(self, reference: str, /) -> BankDetails | None:
        with answered():
            account = self._api.accounts.retrieve(reference).to_dict()
            if not account["details_submitted"]:
                return None
            listed = self._api.accounts.external_accounts.list(
                reference, {"object": "bank_account", "limit": PAGE}
            )
            banks = [bank.to_dict() for bank in listed.auto_paging_iter()]
        return _details(account, banks)

    def details(self, account: str, /) -> BankDetails | None:
        return self.finish_link(_parts(account)[0])

    # Transfers

    def send(self, order: TransferOrder, /) -> Outcome:
        with answered():
            try:
                transfer = self._transfer(order) or self._create_transfer(order)
            except stripe.InvalidRequestError as error:
                return _not_begun(error)
            if transfer["reversed"]:
                return self._outcome(order, transfer, self._payout(order))
            return self._pay_out(order, transfer)

    def look_up(self, order: TransferOrder, reference: str = "", /) -> Outcome | None:
        with answered():
            if reference:
                transfer = self._api.transfers.retrieve(reference).to_dict()
            else:
                transfer = self._transfer(order)
            if transfer is None:
                return None
            payout = self._payout(order)
            if payout is None and not transfer["reversed"]:
                return None
            return self._outcome(order, transfer, payout)

    def _transfer(self, order: TransferOrder) -> dict[str, Any] | None:
        """The transfer of the order's key. Raises KeyReused if that was another order's."""
        listed = self._api.transfers.list({"transfer_group": str(order.key), "limit": PAGE})
        transfer = with_key(order.key, listed)
        asked = _as_asked(order)
        if transfer and any(transfer[name] != asked[name] for name in asked):
            raise KeyReused("Stripe has seen another transfer under this key.")
        return transfer

    def _create_transfer(self, order: TransferOrder) -> dict[str, Any]:
        key = {"transfer_group": str(order.key), "metadata": {"key": str(order.key)}}
        created = self._api.transfers.create(
            _as_asked(order) | key, {"idempotency_key": f"transfer-{order.key}"}
        )
        return dict(created.to_dict())

    def _payout(self, order: TransferOrder) -> dict[str, Any] | None:
        account, bank = _parts(order.account)
        listed = self._api.payouts.list(
            {"destination": bank, "limit": PAGE}, {"stripe_account": account}
        )
        return with_key(order.key, listed)

    def _pay_out(self, order: TransferOrder, transfer: dict[str, Any]) -> Outcome:
        """The second step; one that Stripe refuses takes the first one back."""
        try:
            payout = self._payout(order) or self._create_payout(order)
        except stripe.InvalidRequestError as error:
            if error.code == TOO_LITTLE:
                return Outcome(State.PROCESSING, transfer["id"])
            log.error("The payout of transfer %s was refused: %s", transfer["id"], error.code)
            return self._take_back(order, transfer, GONE)
        return self._outcome(order, transfer, payout)

    def _create_payout(self, order: TransferOrder) -> dict[str, Any]:
        account, bank = _parts(order.account)
        created = self._api.payouts.create(
            {
                "amount": order.amount.minor,
                "currency": order.amount.currency.lower(),
                "destination": bank,
                "description": order.description,
                "metadata": {"key": str(order.key)},
            },
            {"stripe_account": account, "idempotency_key": f"payout-{order.key}"},
        )
        return dict(created.to_dict())

    def _outcome(
        self, order: TransferOrder, transfer: dict[str, Any], payout: dict[str, Any] | None
    ) -> Outcome:
        """What both steps have come to."""
        match payout["status"] if payout else "":
            case "paid":
                return Outcome(State.SUCCEEDED, transfer["id"])
            case "failed" | "canceled" as end:
                return self._take_back(order, transfer, (payout or {}).get("failure_code") or end)
        if transfer["reversed"]:
            return Outcome(State.FAILED, transfer["id"], failure("taken_back"))
        return Outcome(State.PROCESSING, transfer["id"])

    def _take_back(self, order: TransferOrder, transfer: dict[str, Any], code: str) -> Outcome:
        """Get what did not arrive from the connected account; until it is here, nothing failed."""
        if not transfer["reversed"]:
            try:
                self._api.transfers.reversals.create(
                    transfer["id"],
                    {"metadata": {"key": str(order.key)}},
                    {"idempotency_key": f"back-{order.key}"},
                )
            except stripe.InvalidRequestError as error:
                log.error("Transfer %s could not be taken back: %s", transfer["id"], error.code)
                return Outcome(State.PROCESSING, transfer["id"])
        return Outcome(State.FAILED, transfer["id"], failure(code))

    # Webhooks

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], /, *, at: datetime) -> Notice:
        """Stripe signs with a secret for each endpoint: those of ours and of connected accounts."""
        signature = headers.get(signing.HEADER, "")
        for secret in self._webhook_secrets:
            try:
                signing.verify(body, signature, secret, at=at)
            except BadSignature as reason:
                refusal = reason
            else:
                return notice(body)
        raise refusal if self._webhook_secrets else BadSignature("no secret is set")


def _as_asked(order: TransferOrder) -> dict[str, Any]:
    return {
        "amount": order.amount.minor,
        "currency": order.amount.currency.lower(),
        "destination": _parts(order.account)[0],
        "description": order.description,
    }


def _parts(reference: str) -> tuple[str, str]:
    """The connected account, and the bank account in it."""
    account, _, bank = reference.partition(":")
    return account, bank


def _not_begun(error: stripe.InvalidRequestError) -> Outcome:
    """Why there is no transfer. Raises Unanswered if it can be made later, as it is."""
    if error.code == TOO_LITTLE:
        log.warning("The balance at Stripe does not suffice for a payout yet")
        raise Unanswered from error
    if error.code in NOT_READY:
        return Outcome(State.FAILED, "", failure("not_ready"))
    if error.code in ("resource_missing", "account_invalid"):
        return Outcome(State.FAILED, "", failure(GONE))
    raise error


def _details(account: dict[str, Any], banks: list[dict[str, Any]]) -> BankDetails | None:
    """The bank account that money goes to by default; None if there is none, or it is not ours."""
    owner = key_of(account)
    if owner is None or not banks:
        return None
    bank = next((bank for bank in banks if bank.get("default_for_currency")), banks[0])
    transfers = (account.get("capabilities") or {}).get("transfers")
    return BankDetails(
        reference=f"{account['id']}:{bank['id']}",
        owner=owner,
        bank=(bank.get("bank_name") or "Bank account").title()[:80],
        last4=bank["last4"],
        is_ready=transfers == "active" and account["payouts_enabled"],
    )
