"""What a customer ends by itself, and that taking it back leaves no trace on an invoice."""

from copy import deepcopy
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billing.pricing import (
    Ending,
    ItemKind,
    Offer,
    Running,
    Timing,
    cancel,
    keep,
    remove,
    restore,
    retain,
)
from tests.billing.pricing.books import MONTH, NOV_10, YEAR, Books, approvals, histories, offer

DECEMBER = date(2026, 12, 1)
NEXT = Timing.NEXT_CYCLE


def growing(numbers: int = 0) -> Books:
    """Growth since 1 November, with so many phone numbers since the 10th."""
    books = Books()
    books.approve(offer(ItemKind.PLAN, 149_00, name="Growth"), date(2026, 11, 1))
    if numbers:
        books.approve(offer(ItemKind.ADD_ON, 2_50, name="Number", quantity=numbers), NOV_10)
    return books


def numbers(books: Books) -> str:
    """The authority of the newest phone numbers."""
    return [i.authority for i in books.running.items if i.kind == ItemKind.ADD_ON][-1]


def reduce(books: Books, left: int, on: date) -> None:
    """Keep so many of the phone numbers from the next cycle on."""
    lasting = [i for i in books.running.items if i.authority == numbers(books)]
    ends = tuple(item.key for item in lasting if item.lasts_after(on))
    less = {"name": "Number", "quantity": left, "timing": NEXT, "ends": ends}
    books.agree(offer(ItemKind.ADD_ON, 2_50, **less), on)


def coming(books: Books, days: int = 800) -> list[tuple[date, list[tuple[str, int]]]]:
    """The invoices that would follow, each with its lines in no order."""
    future = Books(books.running)
    future.bill_until(NOV_10 + timedelta(days))
    return issued(future)


def issued(books: Books) -> list[tuple[date, list[tuple[str, int]]]]:
    """Without the last day of all, on which nothing may be left to bill."""
    each = [(day, sorted((c.text, c.amount.minor) for c in cs)) for day, cs in books.invoices]
    return [(day, lines) for day, lines in each if lines]


def texts(books: Books, until: date) -> list[tuple[date, list[str]]]:
    books.bill_until(until)
    return [(day, [line.text for line in lines]) for day, lines in books.invoices[1:]]


class TestCancel:
    def test_ends_everything_with_the_cycle(self):
        books = growing(numbers=3)

        books.carry_out(cancel(books.running, NOV_10))

        assert texts(books, date(2027, 6, 1)) == [
            (DECEMBER, ["3 × Number, 10 Nov – 30 Nov 2026 (21 of 30 days)"])
        ]
        assert books.running.next_invoice is None
        assert {item.ending for item in books.running.items} == {Ending.CANCELED}

    def test_of_what_ends_already_is_none(self):
        books = growing()
        books.carry_out(cancel(books.running, NOV_10))

        assert cancel(books.running, NOV_10) is None
        assert cancel(Running(), NOV_10) is None

    def test_does_not_skip_what_a_late_run_has_to_bill(self):
        books = growing()

        books.carry_out(cancel(books.running, date(2027, 1, 15)))

        assert [day for day, _ in coming(books)] == [DECEMBER, date(2027, 1, 1)]


class TestKeep:
    @pytest.mark.parametrize("interval", [MONTH, YEAR])
    def test_undoes_a_scheduled_plan(self, interval):
        books = growing(numbers=3)
        before = coming(books)
        books.agree(offer(ItemKind.PLAN, 990_00, interval=interval, timing=NEXT), NOV_10)
        assert coming(books) != before

        books.carry_out(keep(books.running, NOV_10))

        assert coming(books) == before
        assert keep(books.running, NOV_10) is None

    def test_undoes_a_cancellation(self):
        books = growing(numbers=3)
        before = coming(books)
        books.carry_out(cancel(books.running, NOV_10))

        books.carry_out(keep(books.running, NOV_10))

        assert coming(books) == before

    def test_leaves_a_removal_as_it_is(self):
        books = growing(numbers=3)
        books.carry_out(remove(books.running, numbers(books), NOV_10))
        removed = coming(books)
        books.carry_out(cancel(books.running, NOV_10))

        books.carry_out(keep(books.running, NOV_10))

        assert coming(books) == removed

    def test_is_too_late_once_the_plan_has_begun(self):
        books = growing()
        books.agree(offer(ItemKind.PLAN, 990_00, timing=NEXT), NOV_10)

        assert keep(books.running, DECEMBER) is None

    def test_of_nothing_is_none(self):
        assert keep(growing().running, NOV_10) is None
        assert keep(Running(), NOV_10) is None


class TestRemove:
    def test_ends_the_add_on_with_the_cycle(self):
        books = growing(numbers=3)

        books.carry_out(remove(books.running, numbers(books), NOV_10))

        assert texts(books, date(2027, 1, 1)) == [
            (
                DECEMBER,
                ["Growth, 1 Dec – 31 Dec 2026", "3 × Number, 10 Nov – 30 Nov 2026 (21 of 30 days)"],
            ),
            (date(2027, 1, 1), ["Growth, 1 Jan – 31 Jan 2027"]),
        ]

    def test_of_what_ends_already_is_none(self):
        books = growing(numbers=3)
        books.carry_out(remove(books.running, numbers(books), NOV_10))

        assert remove(books.running, numbers(books), NOV_10) is None
        assert remove(books.running, "unknown", NOV_10) is None


class TestRetain:
    def test_undoes_a_removal(self):
        books = growing(numbers=3)
        before = coming(books)
        books.carry_out(remove(books.running, numbers(books), NOV_10))

        books.carry_out(retain(books.running, numbers(books), NOV_10))

        assert coming(books) == before
        assert retain(books.running, numbers(books), NOV_10) is None

    def test_follows_a_plan_into_another_cycle(self):
        """Removed before or after a yearly plan was scheduled, it comes back in step."""
        books = growing(numbers=3)
        yearly = offer(ItemKind.PLAN, 990_00, interval=YEAR, timing=NEXT)
        never_removed = deepcopy(books)
        never_removed.agree(yearly, NOV_10)
        first, last = deepcopy(books), deepcopy(books)
        first.carry_out(remove(first.running, numbers(first), NOV_10))
        first.agree(yearly, NOV_10)
        last.agree(yearly, NOV_10)
        last.carry_out(remove(last.running, numbers(last), NOV_10))
        assert coming(first) == coming(last) != coming(never_removed)

        for one in (first, last):
            one.carry_out(retain(one.running, numbers(one), NOV_10))

        assert coming(first) == coming(last) == coming(never_removed)

    def test_is_too_late_on_the_day(self):
        books = growing(numbers=3)
        books.carry_out(remove(books.running, numbers(books), NOV_10))

        assert retain(books.running, numbers(books), DECEMBER) is None


class TestReduce:
    def test_keeps_some_from_the_next_cycle_on(self):
        books = growing(numbers=3)

        reduce(books, 2, NOV_10)

        assert texts(books, DECEMBER) == [
            (
                DECEMBER,
                [
                    "Growth, 1 Dec – 31 Dec 2026",
                    "3 × Number, 10 Nov – 30 Nov 2026 (21 of 30 days)",
                    "2 × Number, 1 Dec – 31 Dec 2026",
                ],
            )
        ]

    def test_can_be_done_again_and_be_undone_step_by_step(self):
        books = growing(numbers=3)
        stages = [coming(books)]
        for left in (2, 1):
            reduce(books, left, NOV_10)
            stages.append(coming(books))

        for before in reversed(stages[:-1]):
            coming_up = [i for i in books.running.items if i.start > NOV_10]
            [less] = [item for item in coming_up if item.lasts_after(NOV_10)]
            ends = self.replaced_by(books, less.quantity)
            books.carry_out(restore(books.running, less.authority, ends, NOV_10))
            assert coming(books) == before

    @staticmethod
    def replaced_by(books: Books, left: int) -> list[int]:
        more = (i for i in books.running.items if i.kind == ItemKind.ADD_ON)
        return [item.key for item in more if item.quantity == left + 1]


class TestAlone:
    """Add-ons of a Sub-Org's connection with Revampd need no plan."""

    def add_on(self, price: int, **details) -> Offer:
        return offer(ItemKind.ADD_ON, price, alone=True, **details)

    def test_starts_a_cycle_of_its_own_and_is_billed_at_once(self):
        books = Books()

        books.approve(self.add_on(5_00, name="Line"), NOV_10)
        books.approve(self.add_on(2_50, name="Number", quantity=2), date(2026, 11, 20))

        books.bill_until(date(2026, 12, 10))
        assert [(day, [c.text for c in lines]) for day, lines in books.invoices] == [
            (NOV_10, ["Line, 10 Nov – 9 Dec 2026"]),
            (
                date(2026, 12, 10),
                [
                    "Line, 10 Dec 2026 – 9 Jan 2027",
                    "2 × Number, 20 Nov – 9 Dec 2026 (20 of 30 days)",
                    "2 × Number, 10 Dec 2026 – 9 Jan 2027",
                ],
            ),
        ]

    def test_goes_on_without_the_one_that_began_the_cycle(self):
        books = Books()
        books.approve(self.add_on(5_00, name="Line"), NOV_10)
        line = numbers(books)
        books.approve(self.add_on(2_50, name="Number"), date(2026, 11, 20))

        books.carry_out(remove(books.running, line, date(2026, 11, 21)))

        books.bill_until(date(2027, 1, 10))
        assert [c.text for c in books.invoices[-1][1]] == ["Number, 10 Jan – 9 Feb 2027"]

    def test_ends_when_the_last_one_ends(self):
        books = Books()
        books.approve(self.add_on(5_00), NOV_10)

        books.carry_out(remove(books.running, numbers(books), NOV_10))

        books.bill_until(date(2027, 6, 1))
        assert len(issued(books)) == 1
        assert books.running.next_invoice is None


class TestAnyHistory:
    @given(history=histories, interval=st.sampled_from([MONTH, YEAR]), act=st.integers(0, 2))
    @settings(max_examples=300, deadline=None)
    def test_an_act_and_its_undoing_leave_no_trace(self, history, interval, act):
        books, day = self.settled(history)
        before = self.future(books, day)
        add_ons = [i for i in books.running.items if i.kind == ItemKind.ADD_ON]

        if act == 0:
            books.agree(offer(ItemKind.PLAN, 77_00, interval=interval, timing=NEXT), day)
            books.carry_out(keep(books.running, day))
        elif act == 1:
            books.carry_out(cancel(books.running, day))
            books.carry_out(keep(books.running, day))
        else:
            assume(add_ons)
            done = remove(books.running, add_ons[-1].authority, day)
            assume(done)
            books.carry_out(done)
            books.carry_out(retain(books.running, add_ons[-1].authority, day))

        assert self.future(books, day) == before

    def settled(self, history) -> tuple[Books, date]:
        """A day on which nothing is scheduled."""
        books, day = Books(), history[0]
        for _, last in approvals(books, history):
            day = last
        assume(books.running.items)
        day = max(day, *(item.start for item in books.running.items)) + timedelta(1)
        books.bill_until(day)
        return books, day

    def future(self, books: Books, day: date) -> list:
        after = Books(books.running)
        after.bill_until(day + timedelta(800))
        return issued(after)
