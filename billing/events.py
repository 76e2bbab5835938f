"""Everything that can happen in billing, and who hears of it."""

from django.urls import reverse

from connections.kinds import Category, EventKind, Telling
from connections.models.events import Event

MANAGEMENT = Category.BILLING_MANAGEMENT
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


def _request(event: Event) -> str:
    return reverse("billing:request", args=[event.connection_id, event.subject_id])


def _plan(event: Event) -> str:
    return reverse("billing:plan", args=[event.connection_id])


def _invoice(event: Event) -> str:
    return reverse("billing:invoice", args=[event.connection_id, event.facts["number"]])


# Catalog

item_offered = EventKind("catalog_item.offered", "put {name} on sale")
item_changed = EventKind("catalog_item.changed", "changed {name}")
item_archived = EventKind("catalog_item.archived", "took {name} off sale")
version_published = EventKind("plan_version.published", "published version {number} of {name}")
limits_changed = EventKind("price_limits.changed", "changed the price limits")
version_retired = EventKind("plan_version.retired", "retired version {number} of {name}")

# Requests

request_sent = EventKind(
    "billing_request.sent",
    "proposed {item}, {price}",
    category=MANAGEMENT,
    icon="request",
    customer=Telling(
        "{provider} proposes {item}",
        "{price}, effective: {effective}. It costs nothing until you approve it.",
        action="Review the request",
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=_request,
)
request_revised = EventKind(
    "billing_request.revised",
    "revised the proposal: {item}, {price}",
    category=MANAGEMENT,
    icon="edit",
    customer=Telling(
        "{provider} revised its proposal: {item}",
        "{price}, effective: {effective}. The earlier request can no longer be approved.",
        action="Review the request",
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=_request,
)
request_reminded = EventKind(
    "billing_request.reminded",
    "A reminder went out",
    category=MANAGEMENT,
    icon="clock",
    tone="warn",
    customer=Telling(
        "{item} still waits for your decision",
        "{provider} proposes it for {price}. The request expires soon.",
        action="Review the request",
    ),
    facts=OFFER_FACTS,
    panel=PANEL,
    link=_request,
)
request_withdrawn = EventKind(
    "billing_request.withdrawn",
    "withdrew the proposal",
    category=MANAGEMENT,
    icon="undo",
    customer=Telling("{provider} withdrew {item}", "There is nothing left to decide."),
    facts=OFFER_FACTS,
    link=_request,
)
request_expired = EventKind(
    "billing_request.expired",
    "The request expired",
    category=MANAGEMENT,
    icon="clock",
    tone="warn",
    provider=Telling("{item} for {customer} expired", "Nobody decided in time. Nothing changes."),
    customer=Telling("{item} expired", "Nobody decided in time. Nothing changes."),
    facts=OFFER_FACTS,
    link=_request,
)
request_approved = EventKind(
    "billing_request.approved",
    "approved {item}, {price}",
    category=MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} approved {item}", "{price}, effective: {effective}."),
    customer=Telling("{decided_by} approved {item}", "{price}, effective: {effective}."),
    facts=DECISION_FACTS,
    receipt=True,
    link=_request,
)
request_rejected = EventKind(
    "billing_request.rejected",
    "rejected {item}",
    category=MANAGEMENT,
    icon="cross",
    tone="bad",
    provider=Telling("{customer} rejected {item}", "Nothing changes. {decision_note}"),
    customer=Telling("{decided_by} rejected {item}", "Nothing changes."),
    facts=DECISION_FACTS,
    receipt=True,
    link=_request,
)
request_chosen = EventKind(
    "billing_request.chosen",
    "chose {item}, {price}",
    category=MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} chose {item}", "{price}, effective: {effective}."),
    customer=Telling("{decided_by} chose {item}", "{price}, effective: {effective}."),
    facts=DECISION_FACTS,
    receipt=True,
    link=_request,
)

# What follows

subscription_started = EventKind("subscription.started", "started {item} on {start}", link=_plan)
subscription_changed = EventKind("subscription.changed", "changed to {item} on {start}", link=_plan)
add_on_joined = EventKind("add_on.joined", "added {item} on {start}", link=_plan)

invoice_issued = EventKind(
    "invoice.issued",
    "Invoice {code} over {amount} was issued",
    category=MANAGEMENT,
    icon="invoice",
    customer=Telling("Invoice {code} from {provider}", "{amount}, due {due}."),
    facts=(
        ("code", "Invoice"),
        ("amount", "Total"),
        ("due", "Due"),
        ("provider", "From"),
        ("customer", "To"),
    ),
    link=_invoice,
)
