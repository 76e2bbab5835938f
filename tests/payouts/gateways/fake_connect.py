"""The part of the tests' Stripe that pays out: connected accounts, transfers, payouts.

Money has to be where it leaves from: in our balance, which cards fill, or in that of the connected
account, which transfers fill.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from stripe import params

from payouts.gateways.accounts import BY_NAME, Behaviour, TestAccount
from tests.billing.gateways.fake_server import Route
from tests.billing.gateways.fake_stripe import Error, FakeStripe, Object

PAGES = "https://connect.stripe.com/setup/e"
PLATFORM = ""


@dataclass
class FakeConnect(FakeStripe):
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int, {PLATFORM: 10**9}))
    behind: dict[str, TestAccount] = field(default_factory=dict)  # bank account: what it does

    # What people do on Stripe's pages, and what comes about by itself

    def link(self, account: str, name: str, *, active: bool = True) -> Object:
        """The Partner enters a bank account on the page; the latest is the one to be paid."""
        with self.lock:
            for other in self.banks_of(account):
                other["default_for_currency"] = False
            bank = self._new(
                *("bank_account", "ba"),
                account=account,
                bank_name=BY_NAME[name].bank.upper(),
                last4=BY_NAME[name].last4,
                default_for_currency=True,
            )
            self.behind[bank["id"]] = BY_NAME[name]
            self.objects[account] |= {"details_submitted": True, "payouts_enabled": active}
            self.objects[account]["capabilities"] = {"transfers": "active" if active else "pending"}
            return bank

    def unlink(self, bank: str) -> None:
        """Somebody removes it at Stripe."""
        with self.lock:
            del self.objects[bank]

    def arrive(self) -> None:
        """Some days pass: what was on its way arrives, or comes back; so may what had arrived."""
        with self.lock:
            for payout in self.of("payout"):
                account = self.behind[payout["destination"]]
                if payout["status"] == "paid" and account.behaviour is Behaviour.RETURNS:
                    self._fail_payout(payout, account.code)
            for payout in self.of("payout"):
                if payout["status"] == "pending":
                    self._end(payout)

    def bounce(self, payout: str, code: str = "account_closed") -> None:
        """The bank sends back what it had taken, as it can within days."""
        with self.lock:
            self._fail_payout(self.objects[payout], code)

    @property
    def arrived(self) -> list[int]:
        return [payout["amount"] for payout in self.of("payout") if payout["status"] == "paid"]

    # Endpoints

    def post_accounts(self, params: Object) -> Object:
        assert params["settings"]["payouts"]["schedule"]["interval"] == "manual"
        begun = {"details_submitted": False, "payouts_enabled": False}
        account = self._new("account", "acct", **params, **begun)
        account["capabilities"] = {"transfers": "inactive"}
        return account

    def post_account_links(self, params: Object) -> Object:
        account = self._get(params["account"])
        assert params["return_url"].startswith("https://")
        assert params["refresh_url"].startswith("https://")
        number = sum(1 for _, path in self.requests if path == "/v1/account_links")
        url = f"{PAGES}/{account['id']}/{number}"
        return {"object": "account_link", "url": url, "created": 0, "expires_at": 300}

    def list_external_accounts(self, _params: Object, account: str) -> Object:
        banks = self.banks_of(account)
        url = f"/v1/accounts/{account}/external_accounts"
        return {"object": "list", "data": banks, "has_more": False, "url": url}

    def post_transfers(self, params: Object) -> Object:
        amount, account = int(params["amount"]), self._get(params["destination"])
        if account["capabilities"]["transfers"] != "active":
            raise self._refusal("insufficient_capabilities_for_transfer")
        self._move(PLATFORM, account["id"], amount)
        fresh = {"reversed": False, "amount_reversed": 0}
        return self._new("transfer", "tr", **params | {"amount": amount}, **fresh)

    def list_transfers(self, params: Object) -> Object:
        return self._page("transfer", "transfer_group", params)

    def post_reversals(self, params: Object, transfer: str) -> Object:
        thing = self._get(transfer)
        if thing["reversed"]:
            raise self._refusal("transfer_already_reversed")
        self._move(thing["destination"], PLATFORM, thing["amount"])
        thing |= {"reversed": True, "amount_reversed": thing["amount"]}
        return self._new("transfer_reversal", "trr", **params, transfer=transfer)

    def post_payouts(self, params: Object) -> Object:
        amount, bank = int(params["amount"]), self.objects.get(params["destination"])
        if bank is None or bank["account"] != self.account:
            raise self._refusal("resource_missing", status=404)
        self._move(self.account, bank["id"], amount)
        own = {"account": self.account, "amount": amount, "failure_code": None}
        payout = self._new("payout", "po", **params | own, status="pending")
        if self.behind[bank["id"]].behaviour in (Behaviour.PAYS_AT_ONCE, Behaviour.FAILS_AT_ONCE):
            self._end(payout)
        return payout

    def list_payouts(self, params: Object) -> Object:
        page = self._page("payout", "destination", params)
        assert all(payout["account"] == self.account for payout in page["data"])
        return page

    # Within

    def banks_of(self, account: str) -> list[Object]:
        return [bank for bank in self.of("bank_account") if bank["account"] == account]

    def _end(self, payout: Object) -> None:
        account = self.behind[payout["destination"]]
        if (code := account.code) and account.behaviour is not Behaviour.RETURNS:
            self._fail_payout(payout, code)
        else:
            payout["status"] = "paid"

    def _fail_payout(self, payout: Object, code: str) -> None:
        payout |= {"status": "failed", "failure_code": code}
        self._move(payout["destination"], payout["account"], payout["amount"])

    def _move(self, source: str, target: str, amount: int) -> None:
        if self.balances[source] < amount:
            raise self._refusal("balance_insufficient")
        self.balances[source] -= amount
        self.balances[target] += amount

    def _refusal(self, code: str, status: int = 400) -> Error:
        return Error(status, type="invalid_request_error", code=code, message=f"No: {code}")


def _route(verb: str, path: str, known: type, endpoint: Callable[..., Object]) -> Route:
    return verb, path.replace("<id>", r"(\w+)"), known, endpoint


ROUTES = [
    _route("POST", "/v1/accounts", params.AccountCreateParams, FakeConnect.post_accounts),
    _route("GET", "/v1/accounts/<id>", params.AccountRetrieveParams, FakeConnect.get),
    _route(
        *("GET", "/v1/accounts/<id>/external_accounts"),
        *(params.AccountListExternalAccountsParams, FakeConnect.list_external_accounts),
    ),
    _route(
        *("POST", "/v1/account_links"),
        *(params.AccountLinkCreateParams, FakeConnect.post_account_links),
    ),
    _route("POST", "/v1/transfers", params.TransferCreateParams, FakeConnect.post_transfers),
    _route("GET", "/v1/transfers", params.TransferListParams, FakeConnect.list_transfers),
    _route("GET", "/v1/transfers/<id>", params.TransferRetrieveParams, FakeConnect.get),
    _route(
        *("POST", "/v1/transfers/<id>/reversals"),
        *(params.TransferCreateReversalParams, FakeConnect.post_reversals),
    ),
    _route("POST", "/v1/payouts", params.PayoutCreateParams, FakeConnect.post_payouts),
    _route("GET", "/v1/payouts", params.PayoutListParams, FakeConnect.list_payouts),
]
