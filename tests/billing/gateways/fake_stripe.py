"""A Stripe of the tests: the few endpoints that the adapter needs, answering as Stripe does.

It declines cards and asks for confirmation; `fake_server` puts it behind HTTP, where idempotency
keys are honoured, and requests and answers get lost when a test says so.
"""

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

PAGES = "https://checkout.stripe.com/c/pay"
CONFIRMATION = "https://hooks.stripe.com/3d_secure/redirect"

DECLINES = {
    "4000000000000341": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000000119": "processing_error",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
}
CONFIRMED = {"4000002500003155", "4000002760003184"}
DELAYED = {"4000009000000300": "", "4000009000000409": "insufficient_funds"}

Object = dict[str, Any]


class Error(Exception):
    def __init__(self, status: int, **error: Any) -> None:
        super().__init__(error)
        self.status, self.error = status, error


@dataclass
class Fault:
    """What goes wrong with the next request to `path`, `times` times; empty `verb` is any."""

    path: str
    verb: str = ""
    before: bool = False  # the connection breaks before anything is done
    after: bool = False  # it is done, and the connection breaks
    delay: float = 0  # it is done, and the answer takes this long
    status: int = 0  # nothing is done, and this is the answer
    times: int = 1


@dataclass
class FakeStripe:
    """Its books, and the levers of the tests."""

    port: int = 0
    clock: int = 1_762_767_000  # when a dispute begins, in seconds
    objects: dict[str, Object] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # method: card number
    answers: dict[str, tuple[str, int, Object]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    account: str = ""  # the connected account that the present request is about

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind, newest first as Stripe lists them."""
        return [thing for thing in reversed(self.objects.values()) if thing["object"] == kind]

    # What people do on Stripe's pages, and what comes about by itself

    def complete(self, session: str, number: str) -> None:
        """The customer adds a card on the page of the session."""
        with self.lock:
            method = self._new("payment_method", "pm")
            method["customer"] = self.objects[session]["customer"]
            brand = "mastercard" if number.startswith("5") else "visa"
            method["card"] = {
                "brand": brand,
                "last4": number[-4:],
                "exp_month": 4,
                "exp_year": 2029,
            }
            self.numbers[method["id"]] = number
            intent = self._new("setup_intent", "seti", status="succeeded", payment_method=method)
            self.objects[session] |= {"status": "complete", "setup_intent": intent}

    def confirm(self, intent: str, *, succeed: bool) -> None:
        """The customer confirms the payment, or refuses to."""
        with self.lock:
            thing = self.objects[intent]
            assert thing["status"] == "requires_action"
            if succeed:
                thing |= {"status": "succeeded", "next_action": None}
            else:
                code = "payment_intent_authentication_failure"
                self._fail(thing, thing["payment_method"], code)

    def settle(self, intent: str) -> None:
        with self.lock:
            thing = self.objects[intent]
            assert thing["status"] == "processing"
            code = DELAYED[self.numbers[thing["payment_method"]]]
            if code:
                self._fail(thing, thing["payment_method"], code)
            else:
                thing["status"] = "succeeded"

    def dispute(self, intent: str, amount: int, status: str = "needs_response") -> str:
        """The bank takes `amount` back of what was paid, or inquires about it."""
        with self.lock:
            thing = self._new("dispute", "dp", status=status, amount=amount, created=self.clock)
            thing |= {"payment_intent": intent, "currency": self.objects[intent]["currency"]}
            thing |= {
                "reason": "fraudulent",
                "evidence_details": {"due_by": self.clock + 7 * 86400},
            }
            return str(thing["id"])

    def decide(self, dispute: str, status: str) -> None:
        with self.lock:
            self._update(dispute, status=status)

    # Endpoints

    def post_customers(self, params: Object) -> Object:
        return self._new("customer", "cus", **params)

    def post_sessions(self, params: Object) -> Object:
        if params.get("mode") != "setup" or params["customer"] not in self.objects:
            raise Error(400, type="invalid_request_error", message="Bad session")
        fresh = {"status": "open", "setup_intent": None}
        session = self._new("checkout.session", "cs", **params, **fresh)
        session["url"] = f"{PAGES}/{session['id']}"
        return session

    def post_intents(self, params: Object) -> Object:
        amount = int(params["amount"])
        if amount < 50:
            raise Error(
                400,
                type="invalid_request_error",
                code="amount_too_small",
                message="Amount must be at least 50 cents",
            )
        self._attached(params["payment_method"], params["customer"])
        fresh = {"status": "requires_confirmation", "last_payment_error": None}
        intent = self._new("payment_intent", "pi", **params | {"amount": amount}, **fresh)
        assert (params["off_session"], params["confirm"]) == ("true", "true")
        return self._try(intent, params["payment_method"], on_session=False)

    def post_confirm(self, params: Object, intent: str) -> Object:
        thing = self._get(intent)
        if thing["status"] != "requires_payment_method":
            raise Error(
                400,
                type="invalid_request_error",
                code="payment_intent_unexpected_state",
                message=f"You cannot confirm this PaymentIntent: {thing['status']}",
            )
        assert params["return_url"]
        thing["return_url"] = params["return_url"]
        return self._try(thing, params["payment_method"], on_session=True)

    def post_cancel(self, _params: Object, intent: str) -> Object:
        thing = self._get(intent)
        if thing["status"] in ("succeeded", "canceled", "processing"):
            raise Error(
                400,
                type="invalid_request_error",
                code="payment_intent_unexpected_state",
                message=f"You cannot cancel this PaymentIntent: {thing['status']}",
            )
        return thing | self._update(intent, status="canceled")

    def post_detach(self, _params: Object, method: str) -> Object:
        thing = self._get(method)
        if thing["customer"] is None:
            raise Error(400, type="invalid_request_error", message="not attached to a customer")
        return self._update(method, customer=None)

    def post_refunds(self, params: Object) -> Object:
        intent = self._get(params["payment_intent"])
        amount = int(params["amount"])
        given = [r for r in self.of("refund") if r["payment_intent"] == intent["id"]]
        if intent["status"] != "succeeded":
            raise Error(400, type="invalid_request_error", message="no successful charge")
        if sum(r["amount"] for r in given if r["status"] != "failed") + amount > intent["amount"]:
            raise Error(400, type="invalid_request_error", message="greater than unrefunded amount")
        open_ones = [d for d in self.of("dispute") if d["payment_intent"] == intent["id"]]
        if any(d["status"] in ("needs_response", "lost") for d in open_ones):
            raise Error(
                *(400,), type="invalid_request_error", code="charge_disputed", message="Disputed"
            )
        number = self.numbers[intent["payment_method"]]
        is_later = number in ("4000000000007726", "4000000000005126")
        status = "pending" if is_later else "succeeded"
        return self._new("refund", "re", **params | {"amount": amount}, status=status)

    def list_intents(self, params: Object) -> Object:
        return self._page("payment_intent", "customer", params)

    def list_refunds(self, params: Object) -> Object:
        return self._page("refund", "payment_intent", params)

    def get_dispute(self, params: Object, reference: str) -> Object:
        assert params["expand"] == ["payment_intent"]
        return self._with_intent(self._get(reference))

    def list_disputes(self, params: Object) -> Object:
        assert params["expand"] == ["data.payment_intent"]
        since = int(params["created"]["gte"])
        found = [self._with_intent(d) for d in self.of("dispute") if d["created"] >= since]
        return self._listed(found, "/v1/disputes", params)

    def _with_intent(self, dispute: Object) -> Object:
        return dispute | {"payment_intent": self.objects[dispute["payment_intent"]]}

    def get(self, _params: Object, reference: str) -> Object:
        return self._get(reference)

    # Within

    def _page(self, kind: str, by: str, params: Object) -> Object:
        # Pages of two, so that whoever reads one page only is found out.
        found = [thing for thing in self.of(kind) if thing.get(by) == params[by]]
        return self._listed(found, f"/v1/{kind}s", params)

    @staticmethod
    def _listed(found: list[Object], url: str, params: Object) -> Object:
        after = params.get("starting_after")
        ids = [thing["id"] for thing in found]
        start = ids.index(after) + 1 if after else 0
        page = found[start : start + 2]
        more = len(found) > start + 2
        return {"object": "list", "data": page, "has_more": more, "url": url}

    def _try(self, intent: Object, method: str, *, on_session: bool) -> Object:
        number = self.numbers[method]
        intent["payment_method"] = method
        if number in DECLINES:
            self._fail(intent, method, DECLINES[number])
            raise Error(402, **intent["last_payment_error"], payment_intent=intent)
        if number in CONFIRMED and not on_session:
            self._fail(intent, method, "authentication_required")
            raise Error(402, **intent["last_payment_error"], payment_intent=intent)
        if number in CONFIRMED:
            page = {"url": f"{CONFIRMATION}/{intent['id']}"}
            action = {"type": "redirect_to_url", "redirect_to_url": page}
            intent |= {"status": "requires_action", "next_action": action}
        else:
            intent["status"] = "processing" if number in DELAYED else "succeeded"
        return intent

    def _fail(self, intent: Object, method: str, code: str) -> None:
        is_own_code = code.startswith(("payment_intent", "authentication", "expired", "processing"))
        error = {
            "type": "card_error",
            "code": code if is_own_code else "card_declined",
            "message": "Your card was declined.",
            "payment_method": {"id": method, "object": "payment_method"},
        }
        if not is_own_code:
            error["decline_code"] = code
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": error,
            "next_action": None,
        }

    def _attached(self, method: str, customer: str) -> None:
        thing = self.objects.get(method)
        if thing is None or thing["customer"] != customer:
            raise Error(
                400,
                type="invalid_request_error",
                message="This PaymentMethod was detached, or is another customer's.",
            )

    def _new(self, kind: str, prefix: str, **fields: Any) -> Object:
        reference = f"{prefix}_{uuid.uuid4().hex}"
        self.objects[reference] = {"id": reference, "object": kind, **fields}
        return self.objects[reference]

    def _update(self, reference: str, **fields: Any) -> Object:
        self.objects[reference] |= fields
        return self.objects[reference]

    def _get(self, reference: str) -> Object:
        if reference not in self.objects:
            raise Error(
                *(404,), type="invalid_request_error", code="resource_missing", message="No such"
            )
        return self.objects[reference]
