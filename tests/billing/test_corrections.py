"""Void and credit notes, to the cent: whatever paid an invoice gets its own back, never more."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing.books import differences
from billing.models import Credit, CreditNote, Invoice
from billing.models.returns import Return
from billing.refunding import settle_refunds
from tests.billing.deals import run
from tests.billing.settling import add_card, grant, owed, pay_now, take_back
from tests.cast import Cast, assemble

few_examples = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def remaining(cast: Cast) -> dict[str, int]:
    return {c.reason: c.remaining.minor for c in cast.northwind_bluebird.credits.all()}


def invoice_of(cast: Cast, credits_: list[int]) -> Invoice:
    """$149.00, and credits that came before it."""
    for number, minor in enumerate(credits_):
        grant(cast, minor, f"Credit {number}")
    run(cast)
    invoice: Invoice = cast.northwind_bluebird.invoices.get()
    return invoice


class TestReturns(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.cast = assemble()

    @few_examples
    @given(
        granted=st.lists(st.integers(1, 90_00), max_size=4),
        notes=st.lists(st.integers(1, 149_00), min_size=1, max_size=5),
        pays=st.booleans(),
        is_late=st.booleans(),
    )
    def test_are_exact_whatever_paid_and_in_whatever_parts(self, granted, notes, pays, is_late):
        cast = self.cast
        invoice = invoice_of(cast, granted)
        if pays and invoice.is_owed and not is_late:
            pay_now(cast, invoice, add_card(cast, "refuses_refunds" if len(notes) % 2 else "visa"))
        for number, wanted in enumerate(notes):
            if pays and is_late and number == 1 and invoice.is_owed:
                pay_now(cast, invoice, add_card(cast))
            invoice.refresh_from_db()
            minor = min(wanted, invoice.total - invoice.corrected)
            if not minor:
                break
            expected, before = Return.of(invoice, minor), dict(self.state(invoice))
            note = take_back(cast, invoice, minor)
            self.check(note, expected, before, dict(self.state(invoice)))

        assert differences() == []

    def state(self, invoice: Invoice):
        invoice.refresh_from_db()
        assert invoice.outstanding >= 0
        assert invoice.credited >= 0
        assert invoice.paid >= 0
        assert invoice.corrected <= invoice.total
        assert (invoice.outstanding == 0) == (invoice.state == Invoice.State.PAID)
        yield "outstanding", invoice.outstanding
        yield "credited", invoice.credited
        yield "paid", invoice.paid

    @staticmethod
    def check(note: CreditNote, expected: Return, before: dict, after: dict) -> None:
        less, cards = before["outstanding"] - after["outstanding"], before["paid"] - after["paid"]
        wallet = before["credited"] - after["credited"]
        assert less + cards + wallet == note.amount
        assert (less, cards, wallet) == (
            expected.less,
            sum(minor.minor for _, minor in expected.to_methods),
            expected.to_wallet.minor,
        )
        assert (note.owed_less.minor, note.to_methods.minor, note.to_wallet.minor) == (
            less,
            cards,
            wallet,
        )
        paid = before["credited"] + before["paid"]
        if paid:
            exact = (note.amount - less) * before["credited"] / paid
            # Every credit and every payment is within a cent of its share.
            assert abs(wallet - exact) < 5

    @few_examples
    @given(granted=st.lists(st.integers(1, 90_00), min_size=1, max_size=5))
    def test_of_a_void_are_the_same_cents_to_the_same_credits(self, granted):
        cast = self.cast
        invoice = invoice_of(cast, granted)

        invoice.void(reason="All of it", by=cast.noah, at=invoice.issued_at)

        assert remaining(cast) == {f"Credit {n}": minor for n, minor in enumerate(granted)}
        assert differences() == []


class TestRefund:
    def test_that_the_card_refuses_goes_into_the_wallet(self, cast):
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        pay_now(cast, invoice, add_card(cast, "refuses_refunds"))
        invoice.refresh_from_db()
        note = take_back(cast, invoice, 49_00)

        for year in (1, 2):
            settle_refunds(at=note.issued_at + timedelta(days=365 * year))

        credit = cast.northwind_bluebird.credits.get()
        assert credit.origin == Credit.Origin.REFUND
        assert credit.amount == 49_00
        assert differences() == []


class TestEverything:
    def test_is_all_that_is_left_line_by_line(self, cast):
        run(cast)
        invoice = owed(cast.northwind_bluebird)
        take_back(cast, invoice, 49_00)
        invoice.refresh_from_db()

        amounts = CreditNote.everything(invoice)
        assert list(amounts.values()) == [100_00]
        CreditNote.issue(invoice, amounts, reason="The rest", by=cast.noah, at=invoice.issued_at)

        invoice.refresh_from_db()
        assert invoice.is_credited
