"""The wallet: credits, what uses them, and adjustments by staff."""

from connections.kinds import Category, EventKind, Telling

from .places import to_adjustment, to_invoice, to_wallet

credit_granted = EventKind(
    "credit.granted",
    "{amount} of credit was added: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="plus",
    tone="good",
    customer=Telling(
        "{provider} added {amount} to your wallet",
        "It pays your next invoices from {provider}, oldest credit first. {reason}",
    ),
    facts=(
        ("amount", "Credit"),
        ("origin", "From"),
        ("reason", "Reason"),
        ("balance", "Balance"),
    ),
    link=to_wallet,
)
credit_deducted = EventKind(
    "credit.deducted",
    "{amount} of credit was taken out: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="undo",
    customer=Telling("{provider} took {amount} out of your wallet", "{reason}"),
    facts=(("amount", "Amount"), ("reason", "Reason"), ("balance", "Balance")),
    link=to_wallet,
)
adjustment_proposed = EventKind(
    "adjustment.proposed",
    "proposed to adjust the wallet of {wallet} by {amount}: {reason}",
    category=Category.BILLING_MANAGEMENT,
    icon="request",
    members=Telling(
        "{person} proposes to adjust a wallet by {amount}",
        "{wallet}: {reason} Somebody else of the staff has to approve.",
        action="Look at it",
    ),
    facts=(("amount", "Amount"), ("wallet", "Wallet"), ("reason", "Reason")),
    link=to_adjustment,
)
adjustment_approved = EventKind(
    "adjustment.approved", "approved to adjust the wallet of {wallet} by {amount}", icon="check"
)
adjustment_rejected = EventKind(
    "adjustment.rejected", "rejected to adjust the wallet of {wallet} by {amount}", icon="cross"
)
credit_applied = EventKind(
    "credit.applied", "{used} of credit was used for {code}", icon="check", link=to_invoice
)
