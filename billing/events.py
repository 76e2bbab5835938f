"""Everything that can happen in billing, and who hears of it."""

from django.urls import reverse

from connections.kinds import CONSENT, OWNERS, Category, EventKind, Telling
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

INVOICE_FACTS = (
    ("code", "Invoice"),
    ("amount", "Total"),
    ("payable", "Amount due"),
    ("due", "Due"),
    ("provider", "From"),
    ("customer", "To"),
)
PAYMENT_FACTS = (
    ("code", "Invoice"),
    ("amount", "Amount"),
    ("method", "Payment method"),
    ("provider", "To"),
    ("customer", "From"),
)

# Tasks that verbs ring for
COLLECT_TASK = "billing.collect_payments"
RECONCILE_TASK = "billing.reconcile_payments"
REFUND_TASK = "billing.settle_refunds"
BOOKS_TASK = "billing.check_books"
WEBHOOK_TASK = "billing.work_off_webhooks"
FILE_TASK = "billing.file_documents"
IMPORT_TASK = "billing.import_sub_orgs"
RUN_TASK = "billing.run_asked"


def _request(event: Event) -> str:
    return reverse("billing:request", args=[event.connection_id, event.subject_id])


def _plan(event: Event) -> str:
    return reverse("billing:plan", args=[event.connection_id])


def _invoice(event: Event) -> str:
    return reverse("billing:invoice", args=[event.connection_id, event.facts["number"]])


def _methods(event: Event) -> str:
    return reverse("billing:payment-methods", args=[event.connection_id])


def _usage(event: Event) -> str:
    return reverse("billing:usage", args=[event.connection_id])


def _wallet(event: Event) -> str:
    return reverse("billing:wallet", args=[event.connection_id])


def _adjustment(event: Event) -> str:
    return reverse("admin:billing_adjustment_change", args=[event.subject_id])


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
        necessary=CONSENT,
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
        necessary=CONSENT,
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
        necessary=CONSENT,
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
    customer=Telling(
        "{decided_by} approved {item}", "{price}, effective: {effective}.", necessary=CONSENT
    ),
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
    customer=Telling("{decided_by} rejected {item}", "Nothing changes.", necessary=CONSENT),
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
    customer=Telling(
        "{decided_by} chose {item}", "{price}, effective: {effective}.", necessary=CONSENT
    ),
    facts=DECISION_FACTS,
    receipt=True,
    link=_request,
)

# What follows

subscription_started = EventKind("subscription.started", "started {item} on {start}", link=_plan)
subscription_changed = EventKind("subscription.changed", "changed to {item} on {start}", link=_plan)
add_on_joined = EventKind("add_on.joined", "added {item} on {start}", link=_plan)
add_on_reduced = EventKind("add_on.reduced", "keeps less of {item} from {start}", link=_plan)

# What a customer of Revampd ends by itself, and takes back

ENDING_FACTS = (("item", "Name"), ("end", "Ends"), ("customer", "Customer"), ("person", "Person"))

subscription_canceled = EventKind(
    "subscription.canceled",
    "canceled {item}, which ends on {end}",
    category=MANAGEMENT,
    icon="clock",
    tone="warn",
    provider=Telling("{customer} cancels {item}", "It ends on {end}."),
    customer=Telling(
        "{item} ends on {end}",
        "{person} canceled it. It can be undone until then.",
        necessary=CONSENT,
    ),
    facts=ENDING_FACTS,
    receipt=True,
    link=_plan,
)
subscription_kept = EventKind(
    "subscription.kept",
    "keeps {item}",
    category=MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} keeps {item}", "{undone} is undone."),
    customer=Telling("You keep {item}", "{person} has undone: {undone}."),
    facts=(("item", "Name"), ("undone", "Undone"), ("customer", "Customer"), ("person", "Person")),
    receipt=True,
    link=_plan,
)
add_on_removed = EventKind(
    "add_on.removed",
    "removed {item}, which ends on {end}",
    category=MANAGEMENT,
    icon="clock",
    provider=Telling("{customer} removes {item}", "It ends on {end}."),
    customer=Telling("{item} ends on {end}", "{person} removed it. It can be undone until then."),
    facts=ENDING_FACTS,
    receipt=True,
    link=_plan,
)
add_on_retained = EventKind(
    "add_on.retained",
    "keeps {item}",
    category=MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} keeps {item}"),
    customer=Telling("You keep {item}", "{person} has undone its removal."),
    facts=(("item", "Name"), ("customer", "Customer"), ("person", "Person")),
    receipt=True,
    link=_plan,
)
tier_held = EventKind(
    "tier.held",
    "{item} goes on: {excess}",
    category=MANAGEMENT,
    icon="warning",
    tone="warn",
    customer=Telling(
        "You keep {item}",
        "{next} was to begin on {day}, but it is too small: {excess}.",
        action="See your plan",
    ),
    facts=(("item", "Name"), ("next", "Was to come"), ("day", "From"), ("excess", "Too small")),
    link=_plan,
)

invoice_issued = EventKind(
    "invoice.issued",
    "Invoice {code} over {amount} was issued",
    category=MANAGEMENT,
    icon="invoice",
    customer=Telling("Invoice {code} from {provider}", "{amount}: {payable} is due {due}."),
    facts=(
        ("code", "Invoice"),
        ("amount", "Total"),
        ("credited", "From the wallet"),
        ("payable", "Amount due"),
        ("due", "Due"),
        ("provider", "From"),
        ("customer", "To"),
    ),
    link=_invoice,
)
invoice_paid = EventKind("invoice.paid", "{code} is paid", icon="check", tone="good", link=_invoice)
invoice_past_due = EventKind(
    "invoice.past_due",
    "{code} is past due",
    category=MANAGEMENT,
    icon="clock",
    tone="bad",
    provider=Telling("{code} of {customer} is past due", "{payable} was due {due}."),
    customer=Telling(
        "Invoice {code} is past due",
        "{payable} was due {due}. Add a payment method to pay it at once.",
        action="Pay the invoice",
    ),
    facts=INVOICE_FACTS,
    link=_invoice,
)
invoice_voided = EventKind(
    "invoice.voided",
    "made {code} void: {reason}",
    category=MANAGEMENT,
    icon="undo",
    customer=Telling("Invoice {code} is void", "Nothing of it is owed. {reason}"),
    facts=(*INVOICE_FACTS, ("reason", "Reason")),
    link=_invoice,
)
invoice_written_off = EventKind(
    "invoice.written_off", "wrote {lost} of {code} off: {reason}", icon="cross", link=_invoice
)
credit_note_issued = EventKind(
    "credit_note.issued",
    "issued credit note {code} over {amount}: {reason}",
    category=MANAGEMENT,
    icon="undo",
    customer=Telling(
        "Credit note {code} from {provider}",
        "{amount} of {invoice} is taken back: {reason} What you had paid of it returns the same "
        "way: {back}.",
    ),
    facts=(
        ("code", "Credit note"),
        ("invoice", "Invoice"),
        ("amount", "Amount"),
        ("back", "Returns to you"),
        ("reason", "Reason"),
    ),
    link=_invoice,
)

# Payments

payment_succeeded = EventKind(
    "payment.succeeded",
    "{amount} was paid by {method}",
    category=MANAGEMENT,
    icon="check",
    tone="good",
    customer=Telling("{amount} for {code} paid", "By {method}. Thank you."),
    facts=PAYMENT_FACTS,
    link=_invoice,
)
payment_failed = EventKind(
    "payment.failed",
    "{amount} by {method} failed: {failure}",
    category=MANAGEMENT,
    icon="cross",
    tone="bad",
    provider=Telling("A payment of {customer} failed", "{code}, {amount}: {failure} {plan}"),
    customer=Telling(
        "{amount} for {code} could not be collected",
        "{failure} {plan} You can pay now, or add another payment method.",
        action="Pay the invoice",
    ),
    facts=(*PAYMENT_FACTS, ("failure", "Reason"), ("again", "Next try")),
    link=_invoice,
)
payment_action_needed = EventKind(
    "payment.action_needed",
    "{amount} by {method} needs a confirmation",
    category=MANAGEMENT,
    icon="lock",
    tone="warn",
    customer=Telling(
        "Confirm the payment of {code}",
        "Your bank wants you to confirm {amount} by {method}.",
        action="Confirm the payment",
        necessary=CONSENT,
    ),
    facts=PAYMENT_FACTS,
    link=_invoice,
)
refund_succeeded = EventKind(
    "refund.succeeded",
    "{amount} went back to {method}",
    category=MANAGEMENT,
    icon="undo",
    tone="good",
    customer=Telling("{amount} of {code} refunded", "To {method}. Banks take a few days."),
    facts=PAYMENT_FACTS,
    link=_invoice,
)
# Disputes: what a bank claims back

DISPUTE_FACTS = (*PAYMENT_FACTS, ("reason", "The bank says"))

dispute_opened = EventKind(
    "dispute.opened",
    "{amount} by {method} is disputed: {reason}",
    category=MANAGEMENT,
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
    link=_invoice,
)
dispute_won = EventKind(
    "dispute.won",
    "The dispute of {amount} by {method} is won",
    category=MANAGEMENT,
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
    link=_invoice,
)
dispute_lost = EventKind(
    "dispute.lost",
    "The dispute of {amount} by {method} is lost: {payable} is owed",
    category=MANAGEMENT,
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
    link=_invoice,
)
dispute_reported = EventKind(
    "dispute.reported",
    "The bank of {customer} disputes {amount} of {code}",
    category=MANAGEMENT,
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
method_added = EventKind(
    "payment_method.added",
    "added {method}",
    category=MANAGEMENT,
    icon="plus",
    customer=Telling("{method} was added", "What {provider} bills you is charged to it."),
    facts=(("method", "Payment method"), ("provider", "For")),
    receipt=True,
    link=_methods,
)
method_chosen = EventKind("payment_method.chosen", "pays by {method} from now on", link=_methods)
method_removed = EventKind("payment_method.removed", "removed {method}", link=_methods)

# The wallet

credit_granted = EventKind(
    "credit.granted",
    "{amount} of credit was added: {reason}",
    category=MANAGEMENT,
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
    link=_wallet,
)
credit_deducted = EventKind(
    "credit.deducted",
    "{amount} of credit was taken out: {reason}",
    category=MANAGEMENT,
    icon="undo",
    customer=Telling("{provider} took {amount} out of your wallet", "{reason}"),
    facts=(("amount", "Amount"), ("reason", "Reason"), ("balance", "Balance")),
    link=_wallet,
)
adjustment_proposed = EventKind(
    "adjustment.proposed",
    "proposed to adjust the wallet of {wallet} by {amount}: {reason}",
    category=MANAGEMENT,
    icon="request",
    members=Telling(
        "{person} proposes to adjust a wallet by {amount}",
        "{wallet}: {reason} Somebody else of the staff has to approve.",
        action="Look at it",
    ),
    facts=(("amount", "Amount"), ("wallet", "Wallet"), ("reason", "Reason")),
    link=_adjustment,
)
adjustment_approved = EventKind(
    "adjustment.approved", "approved to adjust the wallet of {wallet} by {amount}", icon="check"
)
adjustment_rejected = EventKind(
    "adjustment.rejected", "rejected to adjust the wallet of {wallet} by {amount}", icon="cross"
)
credit_applied = EventKind(
    "credit.applied", "{used} of credit was used for {code}", icon="check", link=_invoice
)

# Usage

usage_recorded = EventKind(
    "usage.recorded", "entered usage: {what}, {days}", icon="chart", link=_usage
)

# Sub-Orgs by the file


def _import(event: Event) -> str:
    return reverse("sub-org-import", args=[event.organization.slug, event.subject_id])


import_confirmed = EventKind("import.confirmed", "confirmed the import of {number} Sub-Orgs")
import_finished = EventKind(
    "import.finished",
    "The import is finished: {invited} invited, {refused} not",
    category=Category.ACCOUNT,
    icon="people",
    members=Telling(
        "The Sub-Orgs of your file are invited",
        "{invited} were invited, {refused} not. Whoever was invited got a link by e-mail.",
        action="See the result",
        roles=OWNERS,
    ),
    facts=(("invited", "Invited"), ("refused", "Not invited"), ("inviter", "Confirmed by")),
    link=_import,
)

# What staff watch over

billing_stopped = EventKind(
    "billing.stopped",
    "The invoice of {customer} was stopped: {found}",
    category=MANAGEMENT,
    icon="clock",
    tone="bad",
    members=Telling(
        "An invoice of {customer} was stopped",
        "{found} Nothing is billed on this connection until it is explained.",
    ),
    facts=(("provider", "Provider"), ("customer", "Customer"), ("found", "Found")),
)
gateway_contradicted = EventKind(
    "gateway.contradicted",
    "The gateway contradicts the books: {found}",
    category=MANAGEMENT,
    icon="cross",
    tone="bad",
    members=Telling(
        "The gateway contradicts the books",
        "{found} Nothing was changed. Look it up at the gateway.",
    ),
    facts=(("provider", "Provider"), ("customer", "Customer"), ("found", "Found")),
)
billing_resumed = EventKind("billing.resumed", "The invoice of {customer} is explained again")
run_asked = EventKind("billing_run.asked", "asked for a {what} for {on}")
run_resumed = EventKind("billing_run.resumed", "resumed the {what} for {on}")
books_differed = EventKind(
    "books.differed",
    "The books do not agree: {first}",
    category=MANAGEMENT,
    icon="cross",
    tone="bad",
    members=Telling("The books do not agree", "{number} differences. The first: {first}"),
    facts=(("number", "Differences"), ("first", "The first")),
)
