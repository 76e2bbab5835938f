"""What every request passes: browser rules, the reader's time zone, its origin, refusals."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from revampd.kit.errors import DomainError, TooLarge
from revampd.kit.origin import acting_from, address_of
from revampd.kit.uploads import MEGABYTE, MOST_AT_ONCE

Handler = Callable[[HttpRequest], HttpResponse]


class BrowserRules:
    """Headers that Django does not set, and no caching of anybody's pages."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault(
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(),"
            " publickey-credentials-get=(self), publickey-credentials-create=(self)",
        )
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class ReaderTimeZone:
    """Instants are shown in the time zone of the person who reads."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "zone", None)
        with timezone.override(zone):
            return self.get_response(request)


class Origin:
    """Every event recorded during the request says where it came from."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_from(
            address=address_of(request),
            path=request.path,
            agent=request.META.get("HTTP_USER_AGENT", "")[:200],
            request=request.id,  # type: ignore[attr-defined]
        ):
            return self.get_response(request)


class Refusals:
    """Answers a `DomainError` that no page shows in place: the sentence, with its status."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal_page(request, error) if isinstance(error, DomainError) else None


def refusal_page(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """The sentence, with its status: as a toast for htmx, as a page for everybody else."""
    # By the header: what is refused before it is looked into has not come to htmx's middleware yet.
    if request.headers.get("HX-Request"):
        response = render(request, "_refusal.html", {"refusal": refusal}, status=refusal.status)
        response["HX-Retarget"] = "#flash"
        response["HX-Reswap"] = "innerHTML"
        return response
    return render(request, "refused.html", {"refusal": refusal}, status=refusal.status)


class UploadLimit:
    """Refuses at once what is too large as a whole, without looking into it.

    It stands before whatever looks into a form, as the check of its token does.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) <= MOST_AT_ONCE:
            return self.get_response(request)
        refusal = TooLarge(
            f"That is more than {MOST_AT_ONCE // MEGABYTE} MB at once. Nothing was sent.",
            next_step="Send smaller files, or fewer of them.",
        )
        return refusal_page(request, refusal)


class HtmxLogin:
    """Turns the redirect of a signed-out htmx request into one of the whole window."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        signed_out = not request.user.is_authenticated
        is_redirect = response.status_code == HTTPStatus.FOUND
        if signed_out and is_redirect and request.headers.get("HX-Request"):
            page = request.headers.get("HX-Current-URL", "/")
            login = redirect_to_login(page).url
            response = HttpResponse(status=HTTPStatus.NO_CONTENT)
            response["HX-Redirect"] = login
        return response
