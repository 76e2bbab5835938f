"""Requests: sent, decided, and what else becomes of them."""

from connections.kinds import CONSENT, Category, EventKind, Telling

from .places import to_request

PANEL = "billing/requests/_notified.html"

OFFER_FACTS = (
    ("kind", "Kind"),
    ("item", "Name"),
    ("price", "Price"),
    ("effective", "Effective"),
    ("provider", "Requested by"),
    ("proposed_by", "Person"),
    ("note", "Note"),
    ("expires_at", "Decide by"),
)
DECISION_FACTS = (
    ("customer", "Sub-Org"),
    ("kind", "Kind"),
    ("item", "Name"),
    ("price", "Price"),
    ("effective", "Effective"),
    ("outcome", "Status"),
    ("decided_by", "Decided by"),
    ("decision_note", "Note"),
    ("proposed_at", "Requested"),
    ("decided_at", "Decided"),
)

request_sent = EventKind(
    "billing_request.sent",
    "proposed {item}, {price}",
    category=Category.BILLING_MANAGEMENT,
    icon="request",
    customer=Telling(
        "{provider} proposes {item}",
        "{price}, effective: {effective}. It costs nothing until you approve it.",
        action="Review the request",
        necessary=CONSENT,
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=to_request,
)
request_revised = EventKind(
    "billing_request.revised",
    "revised the proposal: {item}, {price}",
    category=Category.BILLING_MANAGEMENT,
    icon="edit",
    customer=Telling(
        "{provider} revised its proposal: {item}",
        "{price}, effective: {effective}. The earlier request can no longer be approved.",
        action="Review the request",
        necessary=CONSENT,
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=to_request,
)
request_reminded = EventKind(
    "billing_request.reminded",
    "A reminder went out",
    category=Category.BILLING_MANAGEMENT,
    icon="clock",
    tone="warn",
    customer=Telling(
        "{item} still waits for your decision",
        "{provider} proposes it for {price}. The request expires soon.",
        action="Review the request",
        necessary=CONSENT,
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=to_request,
)
request_withdrawn = EventKind(
    "billing_request.withdrawn",
    "withdrew the proposal",
    category=Category.BILLING_MANAGEMENT,
    icon="undo",
    customer=Telling("{provider} withdrew {item}", "There is nothing left to decide."),
    facts=OFFER_FACTS,
    link=to_request,
)
request_expired = EventKind(
    "billing_request.expired",
    "The request expired",
    category=Category.BILLING_MANAGEMENT,
    icon="clock",
    tone="warn",
    provider=Telling("{item} for {customer} expired", "Nobody decided in time. Nothing changes."),
    customer=Telling("{item} expired", "Nobody decided in time. Nothing changes."),
    facts=OFFER_FACTS,
    link=to_request,
)
request_approved = EventKind(
    "billing_request.approved",
    "approved {item}, {price}",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} approved {item}", "{price}, effective: {effective}."),
    customer=Telling(
        "{decided_by} approved {item}", "{price}, effective: {effective}.", necessary=CONSENT
    ),
    facts=DECISION_FACTS,
    receipt=True,
    link=to_request,
)
request_rejected = EventKind(
    "billing_request.rejected",
    "rejected {item}",
    category=Category.BILLING_MANAGEMENT,
    icon="cross",
    tone="bad",
    provider=Telling("{customer} rejected {item}", "Nothing changes. {decision_note}"),
    customer=Telling("{decided_by} rejected {item}", "Nothing changes.", necessary=CONSENT),
    facts=DECISION_FACTS,
    receipt=True,
    link=to_request,
)
request_chosen = EventKind(
    "billing_request.chosen",
    "chose {item}, {price}",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} chose {item}", "{price}, effective: {effective}."),
    customer=Telling(
        "{decided_by} chose {item}", "{price}, effective: {effective}.", necessary=CONSENT
    ),
    facts=DECISION_FACTS,
    receipt=True,
    link=to_request,
)
