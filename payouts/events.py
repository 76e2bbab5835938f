"""Everything that can happen to earnings and payouts, and who hears of it."""

from django.urls import reverse

from connections.kinds import OWNERS, PARTNERS, SAFETY, Category, EventKind, Telling
from connections.models.events import Event

PAYOUTS = Category.PAYOUTS

PAYOUT_FACTS = (
    ("week", "Period"),
    ("net", "Earnings"),
    ("carried", "Carried over"),
    ("amount", "Payout"),
)
TRANSFER_FACTS = (
    ("amount", "Amount"),
    ("account", "Bank account"),
    ("week", "Payout"),
    ("failure", "Reason"),
)

# Tasks that verbs ring for
SEND_TASK = "payouts.send_transfers"
STATEMENT_TASK = "payouts.file_statement"
WEBHOOK_TASK = "payouts.work_off_webhooks"


def _payout(event: Event) -> str:
    return reverse("payouts:payout", args=[event.connection_id, event.subject_id])


def _payout_of_transfer(event: Event) -> str:
    return reverse("payouts:payout", args=[event.connection_id, event.facts["payout"]])


def _bank(event: Event) -> str:
    return reverse("payouts:settings", args=[event.connection_id])


# Payouts

payout_available = EventKind(
    "payout.available",
    "The payout of the {week} is available: {amount}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="wallet",
    tone="good",
    customer=Telling(
        "{amount} to pay out",
        "What you earned in the {week} is available: for your wallet, your bank, or both.",
        action="See the payout",
    ),
    facts=PAYOUT_FACTS,
    link=_payout,
)
payout_carried = EventKind(
    "payout.carried",
    "The {week} came to {amount}, which is carried over",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="undo",
    customer=Telling(
        "Nothing to pay out for the {week}",
        "Refunds and disputes came to more than earnings: {amount} is carried into your next "
        "payout.",
    ),
    facts=PAYOUT_FACTS,
    link=_payout,
)
payout_settled = EventKind(
    "payout.settled",
    "settled the {week}: {parts}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="check",
    tone="good",
    customer=Telling("Payout of the {week} settled", "{parts}."),
    facts=(("week", "Period"), ("credited", "To the wallet"), ("banked", "To the bank")),
    receipt=True,
    link=_payout,
)

# Bank transfers

transfer_sent = EventKind(
    "bank_transfer.sent", "{amount} is on its way to {account}", link=_payout_of_transfer
)
transfer_paid = EventKind(
    "bank_transfer.paid",
    "{amount} arrived at {account}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="check",
    tone="good",
    customer=Telling("{amount} paid to your bank", "To {account}, for the {week}."),
    facts=TRANSFER_FACTS[:3],
    link=_payout_of_transfer,
)
transfer_failed = EventKind(
    "bank_transfer.failed",
    "{amount} to {account} came back: {failure}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="cross",
    tone="bad",
    customer=Telling(
        "{amount} could not be sent to your bank",
        "{failure} It is available again: send it once more, or put it into your wallet.",
        action="Settle it again",
    ),
    provider=Telling("A payout of {customer} came back", "{amount} to {account}: {failure}"),
    facts=TRANSFER_FACTS,
    link=_payout_of_transfer,
)
transfer_returned = EventKind(
    "bank_transfer.returned",
    "{amount} came back from {account} after it was paid: {failure}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="undo",
    tone="bad",
    customer=Telling(
        "{amount} came back from your bank",
        "It had been paid. {failure} It is available again: send it once more, or put it into your "
        "wallet.",
        action="Settle it again",
    ),
    provider=Telling(
        "A payout of {customer} came back after it was paid", "{amount} to {account}: {failure}"
    ),
    facts=TRANSFER_FACTS,
    link=_payout_of_transfer,
)

# How they are paid

bank_account_linked = EventKind(
    "bank_account.linked",
    "linked {account} for payouts",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="lock",
    tone="warn",
    customer=Telling(
        "{account} was linked for payouts",
        "{person} linked it.{held} If that was not meant to be, remove it and tell {provider}.",
        action="See where payouts go",
        roles=OWNERS,
        necessary=SAFETY,
    ),
    facts=(("account", "Bank account"), ("person", "Linked by")),
    receipt=True,
    link=_bank,
)
bank_account_replaced = EventKind(
    "bank_account.replaced",
    "{account} took the place of {before}, at the payment service",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="lock",
    tone="bad",
    customer=Telling(
        "{account} took the place of {before}",
        "It was changed on the page of the payment service, not here.{held}"
        " If that was not meant to be, remove it and tell {provider}.",
        action="See where payouts go",
        roles=OWNERS,
        necessary=SAFETY,
    ),
    facts=(("account", "Bank account"), ("before", "In the place of")),
    receipt=True,
    link=_bank,
)
bank_account_removed = EventKind(
    "bank_account.removed",
    "removed {account}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="undo",
    tone="warn",
    customer=Telling(
        "{account} was removed",
        "{person} removed it. Payouts go to the wallet.",
        roles=OWNERS,
        necessary=SAFETY,
    ),
    facts=(("account", "Bank account"), ("person", "Removed by")),
    receipt=True,
    link=_bank,
)
preference_chosen = EventKind(
    "payout_preference.chosen", "wants payouts settled: {preference}", link=_bank
)
preference_failed = EventKind(
    "payout_preference.failed",
    "The payout of the {week} could not be settled by itself: {failure}",
    category=PAYOUTS,
    customers=PARTNERS,
    icon="warning",
    tone="warn",
    customer=Telling(
        "The payout of the {week} waits for you",
        "It could not be settled as you prefer. {failure}",
        action="Settle the payout",
    ),
    facts=(("week", "Period"), ("failure", "Reason")),
    link=_payout,
)
