"""How a connection stands in matters of money, for its overview: everything in one query."""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject

from connections.models import Connection
from revampd.kit.money import Money
from revampd.kit.prepared import prepared

from .models import BillingRequest, Credit, Invoice, Payment, PaymentMethod, Subscription
from .pricing import ItemKind

METHOD = ("id", "brand", "last4", "exp_month", "exp_year")


@dataclass(frozen=True)
class Standing:
    """What pays, what the wallet holds, what was decided, and whether anything is the matter.

    `method` knows what people recognize a card by, and no more. `customer_sells` is whether the
    customer has customers of its own.
    """

    method: PaymentMethod | None
    has_had_method: bool
    balance: Money
    requests: dict[str, int]
    is_overdue: bool
    has_to_confirm: bool
    has_had_plan: bool
    customer_sells: bool

    @classmethod
    def of(cls, connection: Connection) -> "Standing":
        found: Any = _standing.first(connection.pk)
        return cls(
            method=recognized(found["method"]),
            has_had_method=found["has_had_method"],
            balance=Money(found["balance"], connection.currency),
            requests={row["state"]: row["number"] for row in found["requests"]},
            is_overdue=found["is_overdue"],
            has_to_confirm=found["has_to_confirm"],
            has_had_plan=found["has_had_plan"],
            customer_sells=found["customer_sells"],
        )

    @property
    def waiting(self) -> int:
        """How many requests wait for a decision."""
        return self.requests.get(BillingRequest.State.PENDING, 0)


def recognized(row: dict[str, Any] | None) -> PaymentMethod | None:
    """The method that a query told by `DEFAULT_METHOD`."""
    return PaymentMethod(**row) if row else None


@prepared
def _standing(connection: Any) -> QuerySet[Any]:
    return Connection.objects.filter(pk=connection).values(
        method=DEFAULT_METHOD,
        has_had_method=Exists(_own(PaymentMethod)),
        balance=Coalesce(Subquery(_BALANCE), 0),
        requests=ArraySubquery(_REQUESTS),
        is_overdue=Exists(_own(Invoice).filter(state=Invoice.State.PAST_DUE)),
        has_to_confirm=Exists(_own(Payment).filter(state=Payment.State.ACTION)),
        has_had_plan=Exists(_own(Subscription).filter(items__kind=ItemKind.PLAN)),
        customer_sells=Exists(Connection.objects.filter(provider=OuterRef("customer"))),
    )


def _own(model: Any) -> Any:
    return model.objects.filter(connection=OuterRef("pk"))


# In a query of connections: what is charged, as far as people recognize it by.
DEFAULT_METHOD = Subquery(
    _own(PaymentMethod)
    .usable()
    .filter(is_default=True)
    .values(row=JSONObject(**{name: name for name in METHOD}))
)
_BALANCE = _own(Credit).order_by().values("connection").values(left=Sum(F("amount") - F("applied")))
_REQUESTS = (
    _own(BillingRequest)
    .order_by()
    .values("state")
    .annotate(number=Count("pk"))
    .values(row=JSONObject(state="state", number="number"))
)
