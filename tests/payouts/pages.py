"""How the tests of payouts find their way about the pages."""

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from payouts.models import Payout
from tests.cast import Cast

DAY = timedelta(days=1)


def ago(days: int) -> Any:
    return timezone.now() - days * DAY


def url(cast: Cast, page: str = "", payout: Payout | None = None) -> str:
    own = f"{payout.pk}/" if payout else ""
    return f"/connections/{cast.revampd_northwind.pk}/payouts/{own}{page}"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def figures(page: str, title: str) -> dict[str, str]:
    """What a chart draws, by the table below it."""
    [_, table] = page.split(f'<caption class="vh">{title}</caption>')
    rows = r'<th scope="row">([^<]*)</th><td class="r">([^<]*)</td>'
    return dict(re.findall(rows, table.split("</table>")[0]))
