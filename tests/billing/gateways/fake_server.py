"""The HTTP side of the tests' Stripe: routes, idempotency keys, and a network with faults."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe import params
from stripe.params import checkout

from .fake_stripe import Error, FakeStripe, Fault, Object

SECRET_KEY = "sk_test_of_the_tests"

Route = tuple[str, str, type, Callable[..., Object]]

_THING = r"/(\w+)"
ROUTES: list[Route] = [
    ("POST", r"/v1/customers", params.CustomerCreateParams, FakeStripe.post_customers),
    ("POST", r"/v1/checkout/sessions", checkout.SessionCreateParams, FakeStripe.post_sessions),
    ("GET", rf"/v1/checkout/sessions{_THING}", checkout.SessionRetrieveParams, FakeStripe.get),
    ("POST", r"/v1/payment_intents", params.PaymentIntentCreateParams, FakeStripe.post_intents),
    ("GET", r"/v1/payment_intents", params.PaymentIntentListParams, FakeStripe.list_intents),
    (
        *("GET", rf"/v1/payment_intents{_THING}"),
        *(params.PaymentIntentRetrieveParams, FakeStripe.get),
    ),
    (
        *("POST", rf"/v1/payment_intents{_THING}/confirm"),
        *(params.PaymentIntentConfirmParams, FakeStripe.post_confirm),
    ),
    (
        *("POST", rf"/v1/payment_intents{_THING}/cancel"),
        *(params.PaymentIntentCancelParams, FakeStripe.post_cancel),
    ),
    (
        *("GET", rf"/v1/payment_methods{_THING}"),
        *(params.PaymentMethodRetrieveParams, FakeStripe.get),
    ),
    (
        *("POST", rf"/v1/payment_methods{_THING}/detach"),
        *(params.PaymentMethodDetachParams, FakeStripe.post_detach),
    ),
    ("POST", r"/v1/refunds", params.RefundCreateParams, FakeStripe.post_refunds),
    ("GET", r"/v1/refunds", params.RefundListParams, FakeStripe.list_refunds),
    ("GET", rf"/v1/refunds{_THING}", params.RefundRetrieveParams, FakeStripe.get),
    ("GET", r"/v1/disputes", params.DisputeListParams, FakeStripe.list_disputes),
    ("GET", rf"/v1/disputes{_THING}", params.DisputeRetrieveParams, FakeStripe.get_dispute),
]


class Conversation(BaseHTTPRequestHandler):
    """One connection of the library."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._answer("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

    def do_GET(self) -> None:
        self._answer("GET", urlsplit(self.path).query)

    def _answer(self, method: str, text: str) -> None:
        path = urlsplit(self.path).path
        self.stripe.requests.append((method, path))
        fault = self._fault(method, path)
        if fault.before:
            self.close_connection = True
            return
        if fault.status:
            error = {"error": {"type": "api_error", "message": "Something went wrong"}}
            self._send(fault.status, error, {})
            return
        status, body, headers = self._handle(method, path, _params(text))
        time.sleep(fault.delay)
        if fault.after:
            self.close_connection = True
            return
        self._send(status, body, headers)

    def _fault(self, method: str, path: str) -> Fault:
        with self.stripe.lock:
            for fault in self.stripe.faults:
                if fault.path == path and fault.verb in ("", method) and fault.times:
                    fault.times -= 1
                    return fault
        return Fault(path)

    def _handle(self, method: str, path: str, asked: Object) -> tuple[int, Object, Object]:
        if self.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided"}
            return 401, {"error": error}, {}
        key = self.headers.get("Idempotency-Key") if method == "POST" else None
        account = self.headers.get("Stripe-Account", "")
        fingerprint = json.dumps([path, account, asked], sort_keys=True)
        with self.stripe.lock:
            self.stripe.account = account
            if key in self.stripe.answers:
                return self._replay(self.stripe.answers[key], fingerprint)
            status, body = self._carry_out(method, path, asked)
            # A copy: what is replayed is the answer of then. Refused parameters leave none.
            body = json.loads(json.dumps(body))
            if key and status not in (400, 404):
                self.stripe.answers[key] = (fingerprint, status, body)
        return status, body, {}

    def _replay(self, answer: tuple[str, int, Object], fingerprint: str) -> Any:
        known, status, body = answer
        if known != fingerprint:
            message = "Keys for idempotent requests can only be used with the same parameters"
            return 400, {"error": {"type": "idempotency_error", "message": message}}, {}
        return status, body, {"Idempotent-Replayed": "true"}

    def _carry_out(self, method: str, path: str, asked: Object) -> tuple[int, Object]:
        for verb, pattern, known, endpoint in self.server.routes:  # type: ignore[attr-defined]
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                try:
                    _refuse_unknown(asked, known)
                    return 200, endpoint(self.stripe, asked, *match.groups())
                except Error as error:
                    return error.status, {"error": error.error}
        raise AssertionError(f"the fake has no {method} {path}")

    def _send(self, status: int, body: Object, headers: Object) -> None:
        content = json.dumps(body).encode()
        with suppress(ConnectionError):  # who did not wait
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    @property
    def stripe(self) -> FakeStripe:
        return self.server.stripe  # type: ignore[attr-defined]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stripe: FakeStripe, routes: Sequence[Route]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.stripe, self.routes = stripe, routes
        stripe.port = self.server_address[1]


@contextmanager
def running(fake: FakeStripe, routes: Sequence[Route] = ROUTES) -> Iterator[None]:
    with Server(fake, routes) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield
        server.shutdown()


def _refuse_unknown(asked: Object, known: type) -> None:
    """Refuse a parameter that this version of the API does not have, as Stripe does.

    Which it has, its own library says.
    """
    unknown = asked.keys() - known.__annotations__.keys()
    if unknown:
        raise Error(400, type="invalid_request_error", message=f"Received unknown {unknown}")


def _params(text: str) -> Object:
    """Stripe's form encoding, as far as the adapters use it: `metadata[key]`, lists by number."""
    asked: Object = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        if last.isdigit():
            asked.setdefault(path[0], []).append(value)
            continue
        place = asked
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return asked
