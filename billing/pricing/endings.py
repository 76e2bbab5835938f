"""What a customer ends of its own accord with the period that is paid for, and takes back again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from .changes import Change, in_cycles
from .items import Ending, Item, ItemKind
from .running import Running


def cancel(running: Running, on: date) -> Change | None:
    """Everything ends with the cycle; None if nothing runs that could end."""
    end, day = running.next_cycle(on), running.next_invoice
    if end is None or day is None:
        return None
    lasting = [item for item in running.items if item.lasts_after(end)]
    ended = tuple(item.ended(end, Ending.CANCELED) for item in lasting)
    return Change(end, ended, (), day) if ended else None


def keep(running: Running, on: date) -> Change | None:
    """The plan of today goes on, as if no other plan and no end had been scheduled for it.

    None if nothing is scheduled.
    """
    plan, day = running.plan_on(on), running.next_invoice
    if plan is None or plan.end is None or day is None:
        return None
    others = [item for item in running.items if item.key != plan.key]
    canceled = [item for item in others if _ends_after(item, on, Ending.CANCELED)]
    later = [i for i in others if i.kind == ItemKind.PLAN and i.start > on and i.lasts_after(on)]
    strays = [i for i in others if i.kind == ItemKind.ADD_ON and _strays(i, plan, on)]
    twins = {stray.key: _twin(stray, plan, others) for stray in strays}
    altered = (
        plan.unended(),
        *(item.unended() for item in [*canceled, *filter(None, twins.values())]),
        *(item.ended(on) for item in [*later, *strays]),
    )
    opened = tuple(s.moved(plan, s.start) for s in strays if twins[s.key] is None)
    # A plan in another cycle would have been billed on its own first day.
    return Change(plan.end, altered, opened, max(day, plan.billed_to))


def _ends_after(item: Item, day: date, why: Ending) -> bool:
    return item.ending == why and item.end is not None and item.end > day


def _strays(item: Item, plan: Item, on: date) -> bool:
    """Whether an add-on would be billed in the cycle of a plan that is not to come."""
    return item.start > on and item.lasts_after(on) and not item.in_step_with(plan)


def _twin(stray: Item, plan: Item, others: list[Item]) -> Item | None:
    """The part of the same add-on that was to end where the stray begins."""
    same = (i for i in others if i.authority == stray.authority and i.in_step_with(plan))
    return next((i for i in same if _ends_with(i, stray)), None)


def _ends_with(item: Item, following: Item) -> bool:
    return item.ending == Ending.REPLACED and item.end == following.start


def remove(running: Running, authority: Any, on: date) -> Change | None:
    """The add-on that `authority` allows ends with the cycle; None if it does not run or will."""
    end, day = running.next_cycle(on), running.next_invoice
    parts = [item for item in _parts(running, authority) if item.lasts_after(on)]
    if end is None or day is None or not any(part.lasts_after(end) for part in parts):
        return None
    ended = tuple(
        # A part that was to pass over into another cycle ends for good now.
        part.ended(min(part.end or end, end), Ending.REMOVED)
        for part in parts
    )
    return Change(end, ended, (), day)


def retain(running: Running, authority: Any, on: date) -> Change | None:
    """Take a removal back before its day; None if there is none."""
    parts = [i for i in _parts(running, authority) if _ends_after(i, on, Ending.REMOVED)]
    return _revived(running, parts)


def restore(running: Running, authority: Any, ends: Sequence[Any], on: date) -> Change | None:
    """Take back before its day that the add-on of `authority` comes in place of those in `ends`.

    None if it has begun, or never will.
    """
    coming = [item for item in _parts(running, authority) if item.lasts_after(on)]
    if not coming or any(item.start <= on for item in coming):
        return None
    never = tuple(item.ended(on) for item in coming)
    without = Change(on, never, (), running.next_invoice or on).applied(running)
    ended = [item for item in without.items if item.key in ends]
    revived = _revived(without, [i for i in ended if _ends_after(i, on, Ending.REPLACED)])
    return revived and replace(revived, altered=(*never, *revived.altered))


def _revived(running: Running, parts: Sequence[Item]) -> Change | None:
    """An add-on goes on past its end, in the cycles of whatever is scheduled by then."""
    day = running.next_invoice
    if not parts or day is None:
        return None
    first = min(parts, key=lambda part: part.start)
    end = first.end or day
    leaders = running.leaders_after(end)
    if all(first.in_step_with(leader) for leader in leaders):
        return Change(end, (first.unended(),), (), day)
    return Change(end, (), in_cycles(leaders, end, first.unended().moved), day)


def _parts(running: Running, authority: Any) -> list[Item]:
    """An add-on is one item for each cycle that it is billed in."""
    add_ons = (item for item in running.items if item.kind == ItemKind.ADD_ON)
    return [item for item in add_ons if item.authority == authority]
