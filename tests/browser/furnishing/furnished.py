"""What the furnished house is: the cast, what stands in addresses, and words that are long."""

from dataclasses import dataclass, field
from typing import Any

from billing.models import BillingRequest
from tests.cast import Cast

LONG_NAME = "Chamberlain, Featherstonehaugh & Cholmondeley Physiotherapy Associates of Albuquerque"
LONG_NOTE = (
    "You asked for more numbers when the second practice opens; this is what we agreed on the "
    "phone.\nTell me if the day does not fit and I send a new one.\n" + "A-very-long-word" * 8
)


@dataclass
class Furnished:
    """The cast, and what stands in the addresses: by the name of the parameter."""

    cast: Cast
    values: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, BillingRequest] = field(default_factory=dict)
