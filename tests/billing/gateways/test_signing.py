"""Signatures of webhooks: Stripe's scheme, on the very bytes, for a few minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from stripe import WebhookSignature

from billing.gateways import signing
from billing.gateways.base import BadSignature

SECRET = "whsec_of_the_tests"
AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
BODY = '{"id": "evt_1", "name": "Zoë"}'.encode()

# As recorded once; the digest was computed with `openssl dgst -sha256 -hmac`.
RECORDED = b'{"id":"evt_recorded","object":"event","type":"payment_intent.succeeded"}'
RECORDED_AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
RECORDED_HEADER = (
    "t=1794303000,v1=25a59b859ce6bfd7243a1ee4d5d7e14aa53febddd10d0e7830c9cc2ad0dd3819,"
    "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
)


def header(secret: str = SECRET, at: datetime = AT) -> str:
    """What Stripe's own library signs with."""
    made: str = WebhookSignature.generate_signature_header(
        BODY.decode(), secret, int(at.timestamp())
    )
    return made


class TestVerify:
    def test_takes_what_stripes_library_signs(self):
        signing.verify(BODY, header(), SECRET, at=AT)

    def test_takes_a_recorded_one(self):
        signing.verify(RECORDED, RECORDED_HEADER, SECRET, at=RECORDED_AT)

    def test_takes_one_of_two_secrets(self):
        """While a secret is changed, Stripe signs with the old and the new one."""
        _, _, old = header("whsec_old").partition(",")

        signing.verify(BODY, f"{header()},{old}", SECRET, at=AT)
        signing.verify(BODY, f"{header('whsec_old')},{header().partition(',')[2]}", SECRET, at=AT)

    @pytest.mark.parametrize("minutes", [-5, 5])
    def test_takes_one_of_five_minutes_ago_or_of_a_clock_that_is_ahead(self, minutes):
        signing.verify(BODY, header(at=AT + timedelta(minutes=minutes)), SECRET, at=AT)

    @pytest.mark.parametrize("seconds", [-301, 301, -86_400])
    def test_refuses_an_old_one_sent_again(self, seconds):
        stamped = header(at=AT + timedelta(seconds=seconds))

        with pytest.raises(BadSignature, match="too old"):
            signing.verify(BODY, stamped, SECRET, at=AT)

    def test_refuses_an_old_one_with_a_new_time(self):
        old = header(at=AT - timedelta(days=1))
        forged = f"t={int(AT.timestamp())},{old.partition(',')[2]}"

        with pytest.raises(BadSignature, match="somebody else"):
            signing.verify(BODY, forged, SECRET, at=AT)

    @pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"1", b"2"), b""])
    def test_refuses_other_bytes(self, body):
        with pytest.raises(BadSignature, match="changed on its way"):
            signing.verify(body, header(), SECRET, at=AT)

    def test_refuses_another_secret(self):
        with pytest.raises(BadSignature):
            signing.verify(BODY, header("whsec_of_somebody"), SECRET, at=AT)

    @pytest.mark.parametrize(
        "broken",
        [
            *("", "t=,v1=", "v1=00", "t=1794303000", "t=1794303000,v0=00", "t=1e9,v1=00"),
            *("t=-1,v1=00", "t=１７９４,v1=00", "t=1794303000,t=1794303000,v1=00", "é,=,==,"),
            *("t=1794303000,v1=é", f"t={'9' * 5_000},v1=00"),
        ],
        ids=lambda header: header[:20],
    )
    def test_refuses_a_header_that_is_none(self, broken):
        with pytest.raises(BadSignature):
            signing.verify(BODY, broken, SECRET, at=AT)


class TestSign:
    def test_signs_as_stripes_library_does(self):
        assert signing.sign(BODY, SECRET, AT) == header()
        assert WebhookSignature.verify_header(BODY, signing.sign(BODY, SECRET, AT), SECRET)
