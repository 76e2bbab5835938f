"""One URL, two answers: a fragment for htmx, a page or a redirect without it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from revampd.kit import live


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; a boosted or restored page is a whole one."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or only its `fragment` for htmx, with what changed elsewhere out of band."""
    part = fragment and wants_fragment(request)
    response = render(request, fragment if part else template, context, status=status)
    if part:
        # The bell of a page that asks by itself asks too, at the same moment.
        around = {"polls": live.is_asked(request)}
        response.write(render(request, "_out_of_band.html", around).content.decode())
    patch_vary_headers(response, ["HX-Request"])
    return response


def done(
    request: HttpRequest,
    sentence: str,
    to: str,
    *,
    fragment: str = "",
    context: dict[str, Any] | None = None,
    level: int = messages.SUCCESS,
) -> HttpResponse:
    """The answer to an act: say what happened, in the colour of `level`, and show the result.

    htmx gets the `fragment`, rendered with `context`, if there is one; everybody else is
    redirected to `to`, which shows the same.
    """
    messages.add_message(request, level, sentence)
    if fragment and wants_fragment(request):
        return page(request, fragment, context, fragment=fragment)
    if request.htmx:  # type: ignore[attr-defined]
        response = HttpResponse()
        response["HX-Redirect"] = to
        return response
    redirect = HttpResponseRedirect(to)
    redirect.status_code = 303
    return redirect
