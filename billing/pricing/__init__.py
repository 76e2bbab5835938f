"""What something costs: pure functions of values, without database or clock.

One computation, four uses: the preview on the request form, the sealed terms, the upcoming
invoice and the billing run. All amounts are integer minor units; periods are half-open.
"""

from .agreement import Agreed, unexplained
from .allocation import allocate
from .changes import Change, NothingRuns, change
from .credits import first_in_first_out, give_back
from .endings import cancel, keep, remove, restore, retain
from .items import Ending, Item, ItemKind, Measure
from .lines import Charge, charges, part
from .monthly import a_month_of
from .offers import Offer, Timing
from .periods import Interval, Period, boundary, period_on, span
from .previews import Preview, preview
from .retries import RETRY_DAYS, next_attempt
from .running import Running
from .usage import Usage, usage_charge, usage_charges

__all__ = [
    "RETRY_DAYS",
    "Agreed",
    "Change",
    "Charge",
    "Ending",
    "Interval",
    "Item",
    "ItemKind",
    "Measure",
    "NothingRuns",
    "Offer",
    "Period",
    "Preview",
    "Running",
    "Timing",
    "Usage",
    "a_month_of",
    "allocate",
    "boundary",
    "cancel",
    "change",
    "charges",
    "first_in_first_out",
    "give_back",
    "keep",
    "next_attempt",
    "part",
    "period_on",
    "preview",
    "remove",
    "restore",
    "retain",
    "span",
    "unexplained",
    "usage_charge",
    "usage_charges",
]
