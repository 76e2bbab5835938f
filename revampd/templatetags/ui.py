"""The small pieces every page is made of: icons, badges, times, faces, sortable headings.

What depends on its arguments alone is drawn once and kept. `typed`, because text that is safe
already equals text that still has to be escaped.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from hashlib import blake2s
from html import escape
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from revampd.kit import clock
from revampd.kit.money import Money
from revampd.kit.stylesheets import addresses

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
HUES = 6

drawn_once = lru_cache(maxsize=2048, typed=True)


@register.simple_tag
@cache
def stylesheets() -> SafeString:
    """The links to our stylesheets, in the order of their layers."""
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((a,) for a in addresses()))


@register.simple_tag
@drawn_once
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """A drawing of the sprite; silent for screen readers unless it has a `label`."""
    said = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="ic {}" {}><use href="{}#{}"/></svg>', css, said, static("img/icons.svg"), name
    )


@register.simple_tag
@drawn_once
def state_badge(label: str, tone: str = "plain") -> SafeString:
    """How something stands, in a word. `tone`: good, warn, bad, info or plain."""
    return format_html('<span class="badge {}">{}</span>', tone, label)


@register.simple_tag
def logo(name: Any, shape: str = "", size: str = "") -> SafeString:
    """Initials on a colour that follows from the name. `shape`: "" for a company, "person"."""
    return _logo(str(name), shape, size)


@drawn_once
def _logo(text: str, shape: str, size: str) -> SafeString:
    hue = blake2s(text.encode(), digest_size=2).digest()[0] % HUES
    return format_html(
        '<span class="logo {} {} hue-{}" aria-hidden="true">{}</span>',
        shape,
        size,
        hue,
        _initials(text),
    )


def _initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def when(instant: dt.datetime | None) -> SafeString:
    """An instant as people say it, "12 min ago", with the exact time on hover."""
    if instant is None:
        return SafeString("")
    local = timezone.localtime(instant)
    exact = f"{local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"
    spoken = _spoken(local, clock.now().astimezone(local.tzinfo))
    # Nothing of it was typed by anybody, so there is nothing to escape.
    return SafeString(
        f'<time datetime="{local.isoformat(timespec="seconds")}" title="{exact}">{spoken}</time>'
    )


def _spoken(local: dt.datetime, now: dt.datetime) -> str:
    seconds = round((now - local).total_seconds())
    pattern = "{} ago" if seconds >= 0 else "in {}"
    distance = abs(seconds)
    if distance < MINUTE:
        return "just now"
    if distance < HOUR:
        return pattern.format(f"{distance // MINUTE} min")
    if local.date() == now.date():
        return pattern.format(f"{distance // HOUR} h")
    return _spoken_day(local, now)


def _spoken_day(local: dt.datetime, now: dt.datetime) -> str:
    days = (local.date() - now.date()).days
    clock = f"{local:%H:%M}"
    if days in (-1, 1):
        return f"{'tomorrow' if days > 0 else 'yesterday'}, {clock}"
    if -7 < days < 0:
        return f"{local:%a}, {clock}"
    return f"{local.day} {local:%b}" if local.year == now.year else f"{local.day} {local:%b %Y}"


@register.simple_tag
def day(date: dt.date | None) -> SafeString:
    """A date as "1 Dec 2026"; an instant is read in the reader's time zone first."""
    if date is None:
        return SafeString("")
    if isinstance(date, dt.datetime):
        date = timezone.localtime(date).date()
    return _day(date)


@drawn_once
def _day(date: dt.date) -> SafeString:
    spoken = f"{date.day} {date:%b %Y}"
    return format_html('<time class="nowrap" datetime="{}">{}</time>', date.isoformat(), spoken)


@register.simple_tag
def facts(pairs: Iterable[tuple[str, str]]) -> SafeString:
    """Labels with what stands for each of them, line by line."""
    return SafeString(f'<dl class="facts">{"".join(_fact(*pair) for pair in pairs)}</dl>')


def _fact(label: str, text: str) -> str:
    lines = escape(text).replace("\n", "<br>")
    return f"<div><dt>{escape(label)}</dt><dd>{lines}</dd></div>"


@register.simple_tag(takes_context=True)
def menu(context: template.Context) -> SafeString:
    """The entries of the sidebar, with what they count."""
    if "nav" not in context:
        return SafeString("")
    news, waiting = context["news"](), context["waiting"]
    unread = news.bell.label if news.bell.unread else ""
    # A page that knows what waits says so itself.
    number = waiting() if callable(waiting) else waiting
    return _menu(context["nav"](), unread, number, news.tickets)


@drawn_once
def _menu(nav: Any, unread: str, waiting: int, tickets: tuple[tuple[str, int], ...]) -> SafeString:
    bell = {"unread": unread, "label": unread}
    counts = {"bell": bell, "waiting": waiting, "tickets": dict(tickets)}
    return render_to_string("_menu.html", {"nav": nav, **counts})


@register.simple_tag(takes_context=True)
def sort_th(context: template.Context, key: str, label: str, css: str = "") -> SafeString:
    """A heading that sorts by `key` through `?sort=`; a second press turns the order around."""
    query = context["request"].GET.copy()
    current = query.get("sort", "")
    descending = current == f"-{key}"
    query["sort"] = key if descending else f"-{key}"
    query.pop("page", None)
    order = {key: "ascending", f"-{key}": "descending"}.get(current)
    state = format_html(' aria-sort="{}"', order) if order else ""
    return format_html(
        '<th scope="col" class="{}"{}><a class="sort" href="?{}">{}{}</a></th>',
        css, state, query.urlencode(), label, icon("arrow-down"),
    )  # fmt: skip


@register.filter
def page_numbers(page: Page[Any]) -> Iterator[int | str]:
    """The numbers to offer below a list, with gaps: 1 … 4 5 6 … 20."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)


@register.filter
def at(numbers: dict[str, int], key: str) -> int:
    """The number of `key`, or none."""
    return numbers.get(key, 0)


@register.filter
def breakable(address: str) -> SafeString:
    """An e-mail address that breaks before its @ and its dots, where there is no room for it."""
    return mark_safe(re.sub(r"(?=[@.])", "<wbr>", escape(address)))  # noqa: S308 - escaped


@register.filter
def share(part: Money, whole: Money) -> int:
    """How much of `whole` the `part` is, in percent from 0 to 100."""
    if whole.minor <= 0:
        return 0
    return max(0, min(100, round(100 * part.minor / whole.minor)))


@register.filter
def fill(used: int, limit: int) -> str:
    """The class of a meter: amber from four fifths of the limit on, red when it is reached."""
    if used >= limit:
        return "full"
    return "near" if used * 5 >= limit * 4 else ""


BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@register.filter
def browser(user_agent: str) -> str:
    """What a browser calls itself, in words people know: "Firefox on Windows"."""
    name = next((word for mark, word in BROWSERS.items() if mark in user_agent), "A browser")
    system = next((word for mark, word in SYSTEMS.items() if mark in user_agent), "")
    return f"{name} on {system}" if system else name
