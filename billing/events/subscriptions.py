"""What runs, and what a customer of Revampd ends by itself and takes back."""

from connections.kinds import CONSENT, Category, EventKind, Telling

from .places import to_plan

ENDING_FACTS = (("item", "Name"), ("end", "Ends"), ("customer", "Customer"), ("person", "Person"))

subscription_started = EventKind("subscription.started", "started {item} on {start}", link=to_plan)
subscription_changed = EventKind(
    "subscription.changed", "changed to {item} on {start}", link=to_plan
)
add_on_joined = EventKind("add_on.joined", "added {item} on {start}", link=to_plan)
add_on_reduced = EventKind("add_on.reduced", "keeps less of {item} from {start}", link=to_plan)
subscription_canceled = EventKind(
    "subscription.canceled",
    "canceled {item}, which ends on {end}",
    category=Category.BILLING_MANAGEMENT,
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
    link=to_plan,
)
subscription_kept = EventKind(
    "subscription.kept",
    "keeps {item}",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} keeps {item}", "{undone} is undone."),
    customer=Telling("You keep {item}", "{person} has undone: {undone}."),
    facts=(("item", "Name"), ("undone", "Undone"), ("customer", "Customer"), ("person", "Person")),
    receipt=True,
    link=to_plan,
)
add_on_removed = EventKind(
    "add_on.removed",
    "removed {item}, which ends on {end}",
    category=Category.BILLING_MANAGEMENT,
    icon="clock",
    provider=Telling("{customer} removes {item}", "It ends on {end}."),
    customer=Telling("{item} ends on {end}", "{person} removed it. It can be undone until then."),
    facts=ENDING_FACTS,
    receipt=True,
    link=to_plan,
)
add_on_retained = EventKind(
    "add_on.retained",
    "keeps {item}",
    category=Category.BILLING_MANAGEMENT,
    icon="check",
    tone="good",
    provider=Telling("{customer} keeps {item}"),
    customer=Telling("You keep {item}", "{person} has undone its removal."),
    facts=(("item", "Name"), ("customer", "Customer"), ("person", "Person")),
    receipt=True,
    link=to_plan,
)
tier_held = EventKind(
    "tier.held",
    "{item} goes on: {excess}",
    category=Category.BILLING_MANAGEMENT,
    icon="warning",
    tone="warn",
    customer=Telling(
        "You keep {item}",
        "{next} was to begin on {day}, but it is too small: {excess}.",
        action="See your plan",
    ),
    facts=(("item", "Name"), ("next", "Was to come"), ("day", "From"), ("excess", "Too small")),
    link=to_plan,
)
