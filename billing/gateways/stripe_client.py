"""Stripe's official library as its adapters use it."""

from typing import Any

import stripe

TIMEOUT = (4, 20)  # seconds to connect, and to answer


def client(
    secret_key: str, *, api_base: str = "", timeout: tuple[float, float] = TIMEOUT
) -> tuple[stripe.RequestsClient, Any]:
    """Its connection, to be closed, and its endpoints. `api_base` is another address, for tests.

    It repeats nothing by itself: that is left to whoever recorded the attempt.
    """
    http = stripe.RequestsClient(timeout=timeout)
    endpoints = stripe.StripeClient(
        secret_key,
        http_client=http,
        base_addresses={"api": api_base} if api_base else {},
        max_network_retries=0,
    )
    return http, endpoints.v1
