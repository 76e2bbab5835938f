"""Pieces of an open page that follow what others do, for as long as something can still happen.

The piece includes `_live.html` with its `version`, its `path` and its own id as `target`. The page
asks for it again every ten seconds, when its reader comes back and after their own acts, at the
address that the piece has anyway. The view answers `unchanged()` before it reads anything more if
`shows(request, version)`, else the piece anew; one that includes `_live.html` no more has stopped.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

HEADER = "Live-Version"


def shows(request: HttpRequest, version: str) -> bool:
    """Whether the page that asks shows this version already."""
    return request.headers.get(HEADER) == version


def is_asked(request: HttpRequest) -> bool:
    """Whether an open page asks by itself, and nobody has pressed anything."""
    return HEADER in request.headers


def unchanged() -> HttpResponse:
    """Nothing to show, which htmx leaves alone."""
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
