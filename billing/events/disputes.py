"""Disputes: what a bank claims back."""

from connections.kinds import Category, EventKind, Telling

from .payments import PAYMENT_FACTS
from .places import to_invoice

DISPUTE_FACTS = (*PAYMENT_FACTS, ("reason", "The bank says"))

dispute_opened = EventKind(
    "dispute.opened",
    "{amount} by {method} is disputed: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="warning",
    tone="warn",
    provider=Telling(
        "{customer}’s bank disputes {amount} of {code}",
        "It took the money back for now: {reason}. Revampd answers the bank. The invoice counts as "
        "paid until it decides, and your share of it is taken out of your earnings meanwhile.",
    ),
    customer=Telling(
        "Your bank disputes {amount} for {code}",
        "It took the money back for now: {reason}. The invoice counts as paid until the bank "
        "decides, which can take months. If you did not mean this, tell your bank.",
        action="See the invoice",
    ),
    facts=DISPUTE_FACTS,
    link=to_invoice,
)
dispute_won = EventKind(
    "dispute.won",
    "The dispute of {amount} by {method} is won",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling(
        "The dispute of {code} is won",
        "The bank of {customer} gave {amount} back, and your share of it is earned again.",
    ),
    customer=Telling(
        "The dispute of {code} is over",
        "Your bank gave {amount} back to {provider}: the invoice stays paid. You owe nothing.",
    ),
    facts=DISPUTE_FACTS,
    link=to_invoice,
)
dispute_lost = EventKind(
    "dispute.lost",
    "The dispute of {amount} by {method} is lost: {payable} is owed",
    category=Category.BILLING_MANAGEMENT,
    icon="cross",
    tone="bad",
    provider=Telling(
        "The dispute of {code} is lost",
        "The bank of {customer} keeps {amount}. {payable} of the invoice is owed again, and it is "
        "past due. No card is charged for it by itself: {customer} has to pay it.",
    ),
    customer=Telling(
        "{code} is owed again",
        "Your bank gave you {amount} back, so {payable} of the invoice from {provider} is past "
        "due. No card is charged for it by itself: you can pay it on its page.",
        action="See the invoice",
    ),
    facts=(*DISPUTE_FACTS, ("payable", "Amount due")),
    link=to_invoice,
)
dispute_reported = EventKind(
    "dispute.reported",
    "The bank of {customer} disputes {amount} of {code}",
    category=Category.BILLING_MANAGEMENT,
    icon="warning",
    tone="bad",
    members=Telling(
        "Answer a dispute: {amount} of {customer}",
        "{code} from {provider}. The bank says: {reason}. Send it the evidence at the gateway "
        "until {respond_by}; without an answer the dispute is lost.",
    ),
    facts=(
        ("code", "Invoice"),
        ("amount", "Amount"),
        ("provider", "Provider"),
        ("customer", "Customer"),
        ("reason", "The bank says"),
        ("respond_by", "Answer until"),
        ("reference", "At the gateway"),
    ),
)
