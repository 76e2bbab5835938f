"""Charts drawn on the server."""

from dataclasses import dataclass

import pytest

from revampd.kit.money import Money
from revampd.templatetags import charts


@dataclass(frozen=True)
class Week:
    label: str
    amount: Money
    previous: Money | None = None


def weeks(*amounts: int) -> list[Week]:
    return [Week(f"week {number}", Money(minor)) for number, minor in enumerate(amounts, 1)]


def drawing(*amounts: int) -> charts.Drawing:
    wide, _ = charts.drawings(weeks(*amounts))
    return wide


class TestTicks:
    @pytest.mark.parametrize(
        ("largest", "ticks"),
        [
            (0, [0, 100]),
            (440_000, [0, 100_000, 200_000, 300_000, 400_000, 500_000]),
            (90_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        ],
    )
    def test_are_round_and_reach_the_largest(self, largest: int, ticks: list[int]) -> None:
        assert charts._ticks(largest) == ticks


class TestDrawing:
    def test_stands_higher_for_more(self) -> None:
        low, high = drawing(100_00, 900_00).marks

        assert high.y < low.y

    def test_keeps_everything_on_the_canvas(self) -> None:
        wide = drawing(*range(0, 5_200_000, 100_000))

        for mark in wide.marks:
            assert mark.tip_left >= 0
            assert mark.tip_left + mark.tip_width <= wide.canvas.width
            assert 0 <= mark.y <= wide.floor

    def test_stands_on_the_floor_below_zero(self) -> None:
        loss, _ = drawing(-500_00, 500_00).marks

        assert loss.column_height == 0

    def test_names_the_last_point_and_no_more_than_fit(self) -> None:
        wide = drawing(*[100_00] * 52)
        named = [mark for mark in wide.marks if mark.is_named]

        assert wide.marks[-1].is_named
        assert len(named) <= wide.canvas.labels

    def test_is_left_out_without_points(self) -> None:
        assert charts.drawings([]) == []


class TestCaptions:
    @pytest.mark.parametrize(
        ("minor", "caption"),
        [(95_00, "$95"), (1_500_00, "$1.5k"), (20_000_00, "$20k"), (2_500_000_00, "$2,500k")],
    )
    def test_are_short(self, minor: int, caption: str) -> None:
        assert charts._short(Money(minor)) == caption
