"""How money is taken and paid out."""

from django.core.exceptions import ImproperlyConfigured

from .environment import IS_PRODUCTION, env, number

# How much, in whole units of the currency, one member of staff may adjust a wallet within a day;
# above it a second has to approve.
SECOND_PERSON_ABOVE = env.str("REVAMPD_SECOND_PERSON_ABOVE", default="500")
# How long after an invoice is past due its connection is suspended.
BILLING_GRACE_DAYS = number("REVAMPD_GRACE_DAYS", 14)
STRIPE_SECRET_KEY = env.str("REVAMPD_STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("REVAMPD_STRIPE_WEBHOOK_SECRET", default="")
# Those of the endpoints that tell of transfers and of Partners' accounts, one each.
STRIPE_PAYOUT_WEBHOOK_SECRETS = env.list("REVAMPD_STRIPE_PAYOUT_WEBHOOK_SECRETS", default=[])
STRIPE_API_BASE = ""  # Stripe's own; tests have a server of theirs
if bool(STRIPE_SECRET_KEY) != bool(STRIPE_WEBHOOK_SECRET):
    raise ImproperlyConfigured(
        "Set both REVAMPD_STRIPE_SECRET_KEY and REVAMPD_STRIPE_WEBHOOK_SECRET, or neither."
    )
# Where no money is real, the sandbox stands in for a gateway and its webhooks are delivered here.
HAS_SANDBOX = not IS_PRODUCTION and not STRIPE_SECRET_KEY

# The day on which a week of earnings begins, Monday is 0. The days are those of Revampd's own time
# zone, which stands in its settings.
PAYOUT_WEEKDAY = number("REVAMPD_PAYOUT_WEEKDAY", 0, most=6)
# How long nothing is sent to a bank account that took the place of another.
PAYOUT_HOLD_DAYS = number("REVAMPD_PAYOUT_HOLD_DAYS", 3)
# Whether referrers are paid by the week or by the month, and how many days a closed period waits
# before it goes into their wallets.
AFFILIATE_PERIOD = env.str("REVAMPD_AFFILIATE_PERIOD", default="month")
AFFILIATE_WAIT_DAYS = number("REVAMPD_AFFILIATE_WAIT_DAYS", 3)
if AFFILIATE_PERIOD not in ("week", "month"):
    raise ImproperlyConfigured("REVAMPD_AFFILIATE_PERIOD is week or month.")
