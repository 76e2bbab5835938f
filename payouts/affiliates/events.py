"""Everything that can happen to referrals and affiliate payouts, and who hears of it."""

from django.urls import reverse

from connections.kinds import OWNERS, Category, EventKind, Telling
from connections.models.events import Event

PAYOUTS = Category.PAYOUTS

PAYOUT_FACTS = (
    ("period", "Period"),
    ("earned", "Earned"),
    ("carried", "Carried over"),
    ("amount", "Affiliate payout"),
)
REFERRAL_FACTS = (("referred", "Organization"), ("provider", "Buys from"), ("terms", "You earn"))
INQUIRY_FACTS = (
    ("company", "Company"),
    ("person", "Asked by"),
    ("email", "E-mail"),
    ("referrer", "Brought by"),
    ("note", "Note"),
)


def _payout(event: Event) -> str:
    return reverse("affiliates:payout", args=[event.connection_id, event.subject_id])


def _account(event: Event) -> str:
    return reverse("affiliates:affiliate", args=[event.facts["account"]])


def _home(_event: Event) -> str:
    return reverse("home")


def _referrals(event: Event) -> str:
    return reverse("referrals:referrals", args=[event.organization.slug])


# Links and terms

link_made = EventKind("referral_link.made", "made a referral link to {provider}")
link_stopped = EventKind("referral_link.stopped", "stopped the referral link to {provider}")
terms_offered = EventKind(
    "referral_terms.offered", "changed what is given for a referral from {before} to {terms}"
)

# Referrals

partner_signed_up = EventKind("partner.signed_up", "signed up by itself, recommended by {owner}")
referral_begun = EventKind(
    "referral.begun",
    "brought {referred} to {provider}",
    category=PAYOUTS,
    icon="people",
    tone="good",
    members=Telling(
        "{referred} came through your link",
        "You earn as soon as it has its first plan with {provider}.",
        action="See your referrals",
    ),
    facts=REFERRAL_FACTS[:2],
    link=_account,
)
referral_frozen = EventKind(
    "referral.frozen",
    "{referred} chose its first plan with {provider}: the referral earns {terms}",
    category=PAYOUTS,
    icon="check",
    tone="good",
    members=Telling(
        "{referred} chose its first plan",
        "Of what it pays for its base subscription you earn {terms}. These terms stay as they are. "
        "{why}",
        action="See your referrals",
    ),
    facts=REFERRAL_FACTS,
    link=_account,
)

# Companies that ask

inquiry_sent = EventKind(
    "inquiry.sent",
    "{person} asked to connect {company}",
    category=Category.ACCOUNT,
    icon="people",
    members=Telling(
        "{company} asks to become your Sub-Org",
        "{person} asks, brought by {referrer}. Accepting it sends an invitation and takes a seat.",
        action="Answer it",
        roles=OWNERS,
    ),
    facts=INQUIRY_FACTS,
    link=_referrals,
)
inquiry_accepted = EventKind("inquiry.accepted", "accepted the inquiry of {company}")
inquiry_declined = EventKind(
    "inquiry.declined",
    "declined the inquiry of {company}",
    category=Category.ACCOUNT,
    mail_to="email",
    mailed=Telling(
        "{partner} cannot take {company} on",
        "You asked to be connected. {answer} Nothing was set up and nothing is charged.",
        action="Go to Revampd",
    ),
    facts=(("company", "Company"), ("partner", "Partner"), ("answer", "Answer")),
    link=_home,
)

# Affiliate payouts

payout_pending = EventKind(
    "affiliate_payout.pending",
    "The affiliate payout of {period} comes to {amount}",
    category=PAYOUTS,
    icon="wallet",
    tone="good",
    customer=Telling(
        "{amount} for your referrals",
        "What they earned you in {period} goes into your wallet on {due}.",
        action="See the payout",
    ),
    facts=PAYOUT_FACTS,
    link=_payout,
)
payout_carried = EventKind(
    "affiliate_payout.carried",
    "The affiliate payout of {period} comes to {amount}, which is carried over",
    category=PAYOUTS,
    icon="undo",
    customer=Telling(
        "Nothing for your referrals in {period}",
        "More went back than came in: {amount} is carried into your next affiliate payout.",
    ),
    facts=PAYOUT_FACTS,
    link=_payout,
)
payout_applied = EventKind(
    "affiliate_payout.applied",
    "{amount} for referrals went into the wallet",
    category=PAYOUTS,
    icon="check",
    tone="good",
    customer=Telling(
        "{amount} is in your wallet",
        "The affiliate payout of {period} pays what {provider} bills you next.",
        action="See the payout",
    ),
    facts=(("period", "Period"), ("amount", "Credited")),
    link=_payout,
)
