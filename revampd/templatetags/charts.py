"""Numbers over time, drawn on the server as SVG: `{% chart points title="Earnings by week" %}`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import slugify

from revampd.kit.money import Money

register = template.Library()

TOP, BOTTOM, RIGHT = 14, 26, 12
LETTER = 7.2  # the average width of a character at the size of the labels
COLUMN_SHARE = 0.62  # of the room a point has
STEPS = (1, 2, 2.5, 5, 10)


class Point(Protocol):
    """One amount and what it belongs to. An attribute `previous`, if any, is drawn behind it."""

    @property
    def label(self) -> str: ...

    @property
    def amount(self) -> Money: ...


@dataclass(frozen=True)
class Canvas:
    """One size to draw for: its name (a CSS class), and how many labels fit below."""

    name: str
    width: int
    height: int
    labels: int


WIDE = Canvas("wide", 660, 220, 8)
NARROW = Canvas("narrow", 340, 200, 4)


@dataclass(frozen=True)
class Mark:
    """Where one point stands, with everything that appears when the pointer is on it."""

    point: Point
    x: float
    y: float
    before: float | None
    is_named: bool
    slot: float
    floor: int
    right_edge: int

    @property
    def left(self) -> float:
        return round(self.x - self.slot / 2, 1)

    @property
    def column_left(self) -> float:
        return round(self.x - self.column_width / 2, 1)

    @property
    def column_width(self) -> float:
        return round(self.slot * COLUMN_SHARE, 1)

    @property
    def column_height(self) -> float:
        return round(self.floor - self.y, 1)

    @property
    def tip_width(self) -> int:
        return round(len(str(self.point.amount)) * LETTER + 16)

    @property
    def tip_left(self) -> float:
        return round(min(max(self.x - self.tip_width / 2, 0), self.right_edge - self.tip_width), 1)

    @property
    def tip_top(self) -> float:
        return max(self.y - 32, 0)


@dataclass(frozen=True)
class Drawing:
    """The points of a chart, laid out on one canvas. `ticks` are amounts in minor units."""

    canvas: Canvas
    points: Sequence[Point]
    ticks: list[int]

    @cached_property
    def captions(self) -> list[str]:
        currency = self.points[0].amount.currency
        return [_short(Money(tick, currency)) for tick in self.ticks]

    @cached_property
    def left(self) -> int:
        return round(max(map(len, self.captions)) * LETTER + 8)

    @property
    def right(self) -> int:
        return self.canvas.width - RIGHT

    @property
    def floor(self) -> int:
        return self.canvas.height - BOTTOM

    @property
    def grid(self) -> list[tuple[float, str]]:
        return [(self.y(tick), text) for tick, text in zip(self.ticks, self.captions, strict=True)]

    @cached_property
    def marks(self) -> list[Mark]:
        slot = (self.right - self.left) / len(self.points)
        every = math.ceil(len(self.points) / self.canvas.labels)
        last = len(self.points) - 1
        return [
            Mark(
                point=point,
                x=round(self.left + slot * (index + 0.5), 1),
                y=self.y(point.amount.minor),
                before=self.y(previous.minor) if (previous := _previous(point)) else None,
                is_named=(last - index) % every == 0,
                slot=round(slot, 1),
                floor=self.floor,
                right_edge=self.canvas.width,
            )
            for index, point in enumerate(self.points)
        ]

    @property
    def line(self) -> str:
        return _path([(mark.x, mark.y) for mark in self.marks])

    @property
    def line_before(self) -> str:
        return _path([(mark.x, mark.before) for mark in self.marks if mark.before is not None])

    def y(self, minor: int) -> float:
        """How far down an amount stands; what is below zero stands on the floor."""
        return round(self.floor - (self.floor - TOP) * max(minor, 0) / self.ticks[-1], 1)


@register.simple_tag
def chart(points: Sequence[Point], title: str, kind: str = "line", earlier: str = "") -> SafeString:
    """Draws `points` as a "line" or as "columns"; `earlier` names the dashed comparison."""
    return _chart(tuple(points), title, kind, earlier)


# The same figures are drawn once: they change when a month or an invoice does.
@lru_cache(maxsize=256)
def _chart(points: tuple[Point, ...], title: str, kind: str, earlier: str) -> SafeString:
    shown = {
        "points": points,
        "title": title,
        "kind": kind,
        "earlier": earlier,
        "key": slugify(title),
        "said": _said(points),
        "drawings": drawings(points),
    }
    return render_to_string("_chart.html", shown)


def drawings(points: Sequence[Point]) -> list[Drawing]:
    """The points as a wide screen and as a narrow one shows them; nothing without points."""
    ticks = _ticks(max(map(_largest, points), default=0))
    return [Drawing(canvas, points, ticks) for canvas in (WIDE, NARROW) if points]


def _previous(point: Point) -> Money | None:
    return getattr(point, "previous", None)


def _largest(point: Point) -> int:
    previous = _previous(point)
    return max(point.amount.minor, previous.minor if previous else 0)


def _said(points: Sequence[Point]) -> str:
    if not points:
        return "Nothing to show yet."
    first, last = points[0], points[-1]
    return f"From {first.amount} ({first.label}) to {last.amount} ({last.label}); a table follows."


def _ticks(largest: int) -> list[int]:
    """Zero and up to five round steps, the last of which is at least `largest`."""
    rough = max(largest, 500) / 5
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(n * magnitude for n in STEPS if n * magnitude >= rough)
    return [round(step * n) for n in range(max(math.ceil(largest / step), 1) + 1)]


def _short(amount: Money) -> str:
    """An amount as an axis says it: `$1.5k` for 1,500 dollars."""
    whole = str(amount).partition(".")[0]
    thousands, comma, rest = whole.rpartition(",")
    if not comma:
        return whole
    tenth = "" if rest[0] == "0" else f".{rest[0]}"
    return f"{thousands}{tenth}k"


def _path(places: Sequence[tuple[float, float]]) -> str:
    """A smooth path through `places` that never goes beyond them."""
    if not places:
        return ""
    x, y = places[0]
    path = f"M{x} {y}"
    for next_x, next_y in places[1:]:
        middle = round((x + next_x) / 2, 1)
        path += f"C{middle} {y} {middle} {next_y} {next_x} {next_y}"
        x, y = next_x, next_y
    return path
