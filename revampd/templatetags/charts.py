"""Numbers over time, drawn on the server as SVG: `{% chart points title="Earnings by week" %}`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django import template
from django.utils.text import slugify

from revampd.kit.money import Money

register = template.Library()

TOP, BOTTOM, RIGHT = 14, 26, 12
LETTER = 7.2
COLUMN_SHARE = 0.62


class Point(Protocol):
    """One amount and what it belongs to; `previous` is drawn behind it for comparison."""

    label: str
    amount: Money


@dataclass(frozen=True)
class Canvas:
    """One drawing: its name (a CSS class), its size, and how many labels fit below it."""

    name: str
    width: int
    height: int
    labels: int


WIDE = Canvas("wide", 660, 220, 8)
NARROW = Canvas("narrow", 340, 200, 4)


@register.inclusion_tag("_chart.html")
def chart(
    points: Sequence[Point], title: str, kind: str = "line", earlier: str = ""
) -> dict[str, Any]:
    """Draws `points` as a "line" or as "columns"; `earlier` names the dashed comparison."""
    ticks = _ticks(max((_largest(point) for point in points), default=0))
    return {
        "points": points,
        "title": title,
        "kind": kind,
        "earlier": earlier,
        "key": slugify(title),
        "said": _said(points),
        "drawings": [_drawing(canvas, points, ticks) for canvas in (WIDE, NARROW)]
        if points
        else [],
    }


def _largest(point: Point) -> int:
    previous = getattr(point, "previous", None)
    return max(point.amount.minor, previous.minor if previous else 0)


def _said(points: Sequence[Point]) -> str:
    if not points:
        return "Nothing to show yet."
    first, last = points[0], points[-1]
    return f"From {first.amount} ({first.label}) to {last.amount} ({last.label}); a table follows."


def _ticks(largest: int) -> list[int]:
    """Four or five round minor-unit steps from zero to at least `largest`."""
    rough = max(largest, 400) / 4
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(n * magnitude for n in (1, 2, 2.5, 5, 10) if n * magnitude >= rough)
    return [round(step * n) for n in range(math.ceil(max(largest, 1) / step) + 1)]


def _drawing(canvas: Canvas, points: Sequence[Point], ticks: list[int]) -> dict[str, Any]:
    currency = points[0].amount.currency
    captions = [_short(Money(tick, currency)) for tick in ticks]
    left = round(max(len(caption) for caption in captions) * LETTER + 8)
    floor = canvas.height - BOTTOM
    slot = (canvas.width - left - RIGHT) / len(points)
    every = math.ceil(len(points) / canvas.labels)

    def y(minor: int) -> float:
        return round(floor - (floor - TOP) * max(minor, 0) / ticks[-1], 1)

    marks = []
    for index, point in enumerate(points):
        x = round(left + slot * (index + 0.5), 1)
        previous = getattr(point, "previous", None)
        text = str(point.amount)
        tip = round(len(text) * LETTER + 16)
        marks.append({
            "x": x,
            "y": y(point.amount.minor),
            "before": y(previous.minor) if previous else None,
            "label": point.label,
            "amount": text,
            "named": (len(points) - 1 - index) % every == 0,
            "column_x": round(x - slot * COLUMN_SHARE / 2, 1),
            "column_width": round(slot * COLUMN_SHARE, 1),
            "column_height": round(floor - y(point.amount.minor), 1),
            "hit_x": round(x - slot / 2, 1),
            "tip_x": round(min(max(x - tip / 2, 0), canvas.width - tip), 1),
            "tip_y": max(y(point.amount.minor) - 32, 0),
            "tip_width": tip,
        })  # fmt: skip
    return {
        "canvas": canvas,
        "left": left,
        "right": canvas.width - RIGHT,
        "floor": floor,
        "slot": round(slot, 1),
        "grid": [{"y": y(tick), "text": text} for tick, text in zip(ticks, captions, strict=True)],
        "marks": marks,
        "line": _path([(mark["x"], mark["y"]) for mark in marks]),
        "before": _path([(m["x"], m["before"]) for m in marks if m["before"] is not None]),
    }


def _short(amount: Money) -> str:
    """An amount as an axis says it: `$1.5k` for 1,500 dollars."""
    whole = str(amount).partition(".")[0]
    thousands, comma, rest = whole.rpartition(",")
    if not comma:
        return whole
    tenth = "" if rest[0] == "0" else f".{rest[0]}"
    return f"{thousands}{tenth}k"


def _path(places: list[tuple[float, float]]) -> str:
    """A smooth path through `places` that never overshoots them."""
    if not places:
        return ""
    x, y = places[0]
    path = f"M{x} {y}"
    for next_x, next_y in places[1:]:
        middle = round((x + next_x) / 2, 1)
        path += f"C{middle} {y} {middle} {next_y} {next_x} {next_y}"
        x, y = next_x, next_y
    return path
