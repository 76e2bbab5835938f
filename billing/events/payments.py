"""Payments, refunds and the methods that they take."""

from connections.kinds import CONSENT, Category, EventKind, Telling

from .places import to_invoice, to_methods

PAYMENT_FACTS = (
    ("code", "Invoice"),
    ("amount", "Amount"),
    ("method", "Payment method"),
    ("provider", "To"),
    ("customer", "From"),
)

payment_succeeded = EventKind(
    "payment.succeeded",
    "{amount} was paid by {method}",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    customer=Telling("{amount} for {code} paid", "By {method}. Thank you."),
    facts=PAYMENT_FACTS,
    link=to_invoice,
)
payment_failed = EventKind(
    "payment.failed",
    "{amount} by {method} failed: {failure}",
    category=Category.BILLING_MANAGEMENT,
    icon="cross",
    tone="bad",
    provider=Telling("A payment of {customer} failed", "{code}, {amount}: {failure} {plan}"),
    customer=Telling(
        "{amount} for {code} could not be collected",
        "{failure} {plan} You can pay now, or add another payment method.",
        action="Pay the invoice",
    ),
    facts=(*PAYMENT_FACTS, ("failure", "Reason"), ("again", "Next try")),
    link=to_invoice,
)
payment_action_needed = EventKind(
    "payment.action_needed",
    "{amount} by {method} needs a confirmation",
    category=Category.BILLING_MANAGEMENT,
    icon="lock",
    tone="warn",
    customer=Telling(
        "Confirm the payment of {code}",
        "Your bank wants you to confirm {amount} by {method}.",
        action="Confirm the payment",
        necessary=CONSENT,
    ),
    facts=PAYMENT_FACTS,
    link=to_invoice,
)
refund_succeeded = EventKind(
    "refund.succeeded",
    "{amount} went back to {method}",
    category=Category.BILLING_MANAGEMENT,
    icon="undo",
    tone="good",
    customer=Telling("{amount} of {code} refunded", "To {method}. Banks take a few days."),
    facts=PAYMENT_FACTS,
    link=to_invoice,
)
method_added = EventKind(
    "payment_method.added",
    "added {method}",
    category=Category.BILLING_MANAGEMENT,
    icon="plus",
    customer=Telling("{method} was added", "What {provider} bills you is charged to it."),
    facts=(("method", "Payment method"), ("provider", "For")),
    receipt=True,
    link=to_methods,
)
method_chosen = EventKind("payment_method.chosen", "pays by {method} from now on", link=to_methods)
method_removed = EventKind("payment_method.removed", "removed {method}", link=to_methods)
