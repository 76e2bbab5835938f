"""Whose request it is behind proxies: what ours saw, and nothing that somebody else wrote."""

import uuid

import pytest
from allauth.core.internal.httpkit import get_client_ip
from django.test import Client
from django.urls import reverse

from connections.models import Event
from revampd.kit.origin import address_of
from tests.billing.deals import propose

PROXY, PERSON, INVENTED = "10.0.0.1", "203.0.113.7", "198.51.100.99"
SEEN = [
    (0, "", PROXY),
    (0, INVENTED, PROXY),
    (1, PERSON, PERSON),
    (1, f"{INVENTED}, {PERSON}", PERSON),
    (1, f"{INVENTED},{INVENTED}, {PERSON}", PERSON),
    (2, f"{INVENTED}, {PERSON}, {PROXY}", PERSON),
]


class TestAddress:
    @pytest.mark.parametrize(("proxies", "told", "address"), SEEN)
    def test_is_what_the_outermost_of_our_proxies_saw(self, rf, settings, proxies, told, address):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
        headers = {"x-forwarded-for": told} if told else {}
        request = rf.get("/", headers=headers, REMOTE_ADDR=PROXY)

        assert address_of(request) == address
        assert get_client_ip(request) == address  # by which allauth limits

    def test_stands_in_the_audit_trail(self, cast, as_, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        sent = propose(cast)
        own = [cast.northwind_bluebird.pk, sent.pk]
        headers = {"x-forwarded-for": f"{INVENTED}, {PERSON}"}

        as_(cast.noah).post(reverse("billing:withdraw-request", args=own), headers=headers)

        event = Event.objects.get(code="billing_request.withdrawn")
        assert event.origin["address"] == PERSON


class TestLimits:
    @pytest.mark.parametrize("proxies", [0, 1])
    def test_are_not_escaped_by_inventing_addresses(self, db, settings, proxies):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
        settings.ACCOUNT_RATE_LIMITS = {"login": "5/m/ip"}
        codes = [sign_in(f"198.51.100.{number}, {PERSON}") for number in range(7)]

        assert codes == [200] * 5 + [429] * 2

    def test_are_of_each_person_behind_a_proxy(self, db, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        settings.ACCOUNT_RATE_LIMITS = {"login": "5/m/ip"}
        for _ in range(6):
            limited = sign_in(PERSON)

        assert (limited, sign_in("203.0.113.8")) == (429, 200)


def sign_in(seen: str) -> int:
    """With another address each time, so that no limit of an account is met."""
    form = {"login": f"{uuid.uuid4()}@example.com", "password": "wrong"}
    headers = {"x-forwarded-for": seen}
    return Client().post("/accounts/login/", form, headers=headers, REMOTE_ADDR=PROXY).status_code
