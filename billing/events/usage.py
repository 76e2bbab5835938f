"""Usage that is billed."""

from connections.kinds import EventKind

from .places import to_usage

usage_recorded = EventKind(
    "usage.recorded", "entered usage: {what}, {days}", icon="chart", link=to_usage
)
