"""Search over everything that a person may see: as a page, and as what the palette shows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from connections.access import MemberRequest, personal_view
from revampd.kit.search import tidy
from revampd.search import connected, find, places


@personal_view
@require_GET
def search_page(request: MemberRequest) -> HttpResponse:
    """The first of every noun for ?q=, or (?in=invoices&page=2) all of one."""
    text = _text(request)
    groups = find(text, by=request.user)
    context = {"q": text, "groups": groups, "total": sum(group.total for group in groups)}
    chosen = next((group for group in groups if group.noun.key == request.GET.get("in")), None)
    if chosen and chosen.total:
        page, hits = chosen.page(request.GET.get("page"))
        context |= {"chosen": chosen, "page": page, "hits": hits}
    else:
        connected(groups)
    return render(request, "search/page.html", context)


@personal_view
@require_GET
def search_palette(request: MemberRequest) -> HttpResponse:
    """The same for the palette, besides the pages to go to.

    It asks while somebody types, and one letter begins too many words to be worth the asking.
    """
    text = _text(request)
    groups = find(text, by=request.user) if len(text) > 1 or text.isdecimal() else []
    context = {
        "q": text,
        "groups": [group for group in connected(groups) if group.rows],
        "places": places(text, by=request.user),
        "total": sum(group.total for group in groups),
    }
    return render(request, "search/_found.html", context)


def _text(request: HttpRequest) -> str:
    return tidy(request.GET.get("q", ""))
