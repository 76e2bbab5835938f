"""What is counted: plans that charge by booking, entered week by week."""

from itertools import cycle

from revampd.demo.companies import BRIGHTWELL, DANIEL, ELENA, IRONSIDE, LAKESIDE, PULSE
from revampd.demo.deals import Deal
from revampd.demo.people import Person
from revampd.demo.stage import Stage, Story

WEEK = 7


def lakeside_books_online(stage: Stage) -> Story:
    """Online booking came with the upgrade 93 days ago."""
    yield stage.ago(90, 16, 5)
    deal = stage.deal(BRIGHTWELL, LAKESIDE)
    yield from _each_week(stage, deal, DANIEL, first=86, counts=(31, 38, 44, 36, 52, 47))


def pulse_fills_its_classes(stage: Stage) -> Story:
    """Two clubs whose classes are booked by the hundred."""
    yield stage.ago(192, 17, 35)
    deal = stage.deal(IRONSIDE, PULSE)
    yield from _each_week(stage, deal, ELENA, first=188, counts=(212, 240, 198, 265, 231))


def _each_week(
    stage: Stage, deal: Deal, by: Person, *, first: int, counts: tuple[int, ...]
) -> Story:
    for days, count in zip(range(first, 0, -WEEK), cycle(counts)):
        yield stage.ago(days, 16, 5)
        deal.count(count, by=by)


STORIES = (lakeside_books_online, pulse_fills_its_classes)
