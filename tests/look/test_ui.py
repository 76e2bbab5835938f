"""The small pieces of every page."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory

from revampd.kit.money import Money
from revampd.templatetags import ui

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def rendered(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


class TestWhen:
    @pytest.mark.parametrize(
        ("away", "words"),
        [
            (timedelta(seconds=-20), "just now"),
            (timedelta(minutes=-12), "12 min ago"),
            (timedelta(minutes=30), "in 30 min"),
            (timedelta(hours=-5), "5 h ago"),
            (timedelta(hours=-20), "yesterday, 18:00"),
            (timedelta(days=1), "tomorrow, 14:00"),
            (timedelta(days=-3), "Thu, 14:00"),
            (timedelta(days=-40), "13 Oct"),
            (timedelta(days=-400), "18 Oct 2025"),
        ],
    )
    @time_machine.travel(NOW, tick=False)
    def test_says_how_far_away_it_is(self, away: timedelta, words: str) -> None:
        assert f">{words}</time>" in ui.when(NOW + away)

    @time_machine.travel(NOW, tick=False)
    def test_keeps_the_exact_instant_at_hand(self) -> None:
        assert 'title="22 Nov 2026, 13:48:00 UTC"' in ui.when(NOW - timedelta(minutes=12))

    def test_is_silent_about_what_has_not_happened(self) -> None:
        assert ui.when(None) == ""


class TestDay:
    def test_writes_the_month_as_a_word(self) -> None:
        assert ">1 Dec 2026</time>" in ui.day(date(2026, 12, 1))


class TestLogo:
    def test_takes_two_initials_of_a_name(self) -> None:
        assert ">NS<" in ui.logo("Northwind Studio")

    def test_takes_one_of_an_address(self) -> None:
        assert ">LE<" in ui.logo("lena@example.com")

    def test_gives_a_name_the_same_colour_every_time(self) -> None:
        assert ui.logo("Acme") == ui.logo("Acme")

    def test_shows_no_markup_of_a_name(self) -> None:
        assert "<b>" not in ui.logo("<b>old>")


class TestSortTh:
    def header(self, query: str) -> str:
        request = RequestFactory().get(f"/?{query}")
        return rendered('{% sort_th "issued" "Issued" "r" %}', request=request)

    def test_offers_the_newest_first(self) -> None:
        assert 'href="?sort=-issued"' in self.header("")

    def test_turns_around_what_is_sorted(self) -> None:
        header = self.header("sort=-issued")

        assert 'href="?sort=issued"' in header
        assert 'aria-sort="descending"' in header

    def test_keeps_the_filters_and_returns_to_the_first_page(self) -> None:
        assert 'href="?status=open&amp;sort=-issued"' in self.header("status=open&page=3")


class TestShare:
    @pytest.mark.parametrize(
        ("part", "whole", "percent"), [(149, 446, 33), (5, 0, 0), (-3, 10, 0), (12, 10, 100)]
    )
    def test_stays_between_nothing_and_all(self, part: int, whole: int, percent: int) -> None:
        assert ui.share(Money(part), Money(whole)) == percent


class TestFill:
    @pytest.mark.parametrize(
        ("used", "tone"), [(0, ""), (79, ""), (80, "near"), (100, "full"), (120, "full")]
    )
    def test_warns_before_the_limit_is_reached(self, used: int, tone: str) -> None:
        assert ui.fill(used, 100) == tone


class TestPageNumbers:
    def test_leaves_gaps_in_a_long_list(self) -> None:
        page = Paginator(range(200), 10).page(10)

        assert list(map(str, ui.page_numbers(page))) == ["1", "…", "9", "10", "11", "…", "20"]


class TestBrowser:
    @pytest.mark.parametrize(
        ("agent", "words"),
        [
            ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            ("Mozilla/5.0 (X11; Linux) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Linux"),
            ("Mozilla/5.0 (iPhone; like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
            ("curl/8.0", "A browser"),
        ],
    )
    def test_calls_it_as_people_do(self, agent: str, words: str) -> None:
        assert ui.browser(agent) == words
