"""Help: what each entry of the menus is for, from docs/users/."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET
from markdown_it import MarkdownIt

from connections.access import personal_view

FOLDER: Path = settings.ROOT / "docs" / "users"
TOPICS = {path.stem: path for path in FOLDER.glob("*.md") if path.stem != "README"}
# What is written is text: HTML in it would be shown as it stands.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@personal_view
@require_GET
def help_list(request: HttpRequest) -> HttpResponse:
    """Every page there is."""
    topics = sorted((title(topic), topic) for topic in TOPICS)
    return render(request, "help/list.html", {"topics": topics})


@personal_view
@require_GET
def help_page(request: HttpRequest, topic: str) -> HttpResponse:
    if topic not in TOPICS:
        raise Http404
    return render(request, "help/page.html", {"title": title(topic), "text": text(topic)})


@cache
def title(topic: str) -> str:
    return _parts(topic)[0].removeprefix("# ")


@cache
def text(topic: str) -> SafeString:
    """The page below its title, as HTML; a program of ours wrote every tag in it."""
    return SafeString(MARKDOWN.render(_parts(topic)[1]).replace("<table>", '<table class="rows">'))


def _parts(topic: str) -> tuple[str, str]:
    first, _, rest = TOPICS[topic].read_text().partition("\n")
    return first, rest
