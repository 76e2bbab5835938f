"""What a Partner sees of the share that it gives up to whoever brought a Sub-Org."""

import csv
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from payouts.filing import file_statement
from payouts.models import Payout
from tests.cast import Cast
from tests.payouts.acts import NOW, WEEK, close, put_on_tier, sell

from .acts import bring_sub_org, give, pay_owed, subscribe


@pytest.fixture
def payout(cast: Cast) -> Payout:
    """$149.00 of a Sub-Org that another one brought for a tenth of it, and $100.00 of that one."""
    give(cast.northwind, 10_00, 12)
    put_on_tier(cast, 3_50)
    brought = bring_sub_org(cast.bluebird, cast.northwind)
    subscribe(brought, cast.growth)
    pay_owed(brought)
    sell(cast, 100_00)
    [payout] = close(NOW + WEEK)
    return payout


def url(payout: Payout, page: str = "") -> str:
    return f"/connections/{payout.connection_id}/payouts/{payout.pk}/{page}"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


class TestShare:
    """It is taken after the fee: a tenth of $149.00 less $5.22, which is $14.38."""

    def test_stands_on_the_page(self, cast, as_, payout):
        assert payout.affiliate == 14_38

        shown = text(as_(cast.vera).get(url(payout)))

        assert 'Affiliate share</th><td class="r">−$14.38</td>' in shown
        assert '<th scope="col" class="r opt3">Affiliate</th>' in shown
        assert '<td class="r opt3 m">$14.38</td> <td class="r">$129.40</td>' in shown
        assert '<td class="r opt3 m">$0.00</td> <td class="r">$96.50</td>' in shown
        assert 'Payout</th><td class="r">$225.90</td>' in shown

    def test_stands_in_the_files(self, cast, as_, payout):
        def rows(address: str) -> list[dict[str, str]]:
            answer = as_(cast.vera).get(address)
            content = b"".join(answer.streaming_content).decode("utf-8-sig")
            return list(csv.DictReader(content.splitlines()))

        [whole] = rows(f"/connections/{payout.connection_id}/payouts/export/")
        assert [whole[name] for name in ("Affiliate share", "Net")] == ["14.38", "225.90"]
        earnings = {row["Gross"]: row for row in rows(url(payout, "export/"))}
        assert {gross: row["Affiliate share"] for gross, row in earnings.items()} == {
            "149.00": "14.38",
            "100.00": "0.00",
        }
        assert earnings["149.00"]["Net"] == "129.40"

    def test_stands_on_the_statement(self, payout):
        assert file_statement(payout.pk)
        [page] = PdfReader(BytesIO(payout.statements.get().content)).pages

        said = " ".join(page.extract_text().split())

        assert "Affiliate share −$14.38 Available $225.90" in said
        assert "$149.00 $5.22 3.5 % $14.38 $129.40" in said
        assert "All earnings $249.00 $8.72 $14.38 $225.90" in said
