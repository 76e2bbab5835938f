"""`python -m billing.documents.press`: renders one order from its input to its output, and ends."""

import json
import sys
from pathlib import Path

from .rendering import press


def main() -> None:
    order = json.load(sys.stdin)
    pdf = press(order["facts"], order["timestamp"], Path(order["template"]))
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
