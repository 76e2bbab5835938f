"""What staff watch over."""

from connections.kinds import Category, EventKind, Telling

billing_stopped = EventKind(
    "billing.stopped",
    "The invoice of {customer} was stopped: {found}",
    category=Category.BILLING_MANAGEMENT,
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
    category=Category.BILLING_MANAGEMENT,
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
    category=Category.BILLING_MANAGEMENT,
    icon="cross",
    tone="bad",
    members=Telling("The books do not agree", "{number} differences. The first: {first}"),
    facts=(("number", "Differences"), ("first", "The first")),
)
