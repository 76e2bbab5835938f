"""What a page must not do, noted while a test looks at it: errors, violations, other origins."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Request, Response

# Answers that say no, and that pages and htmx show as such.
REFUSALS = {403, 404, 409, 410, 413, 422}
ANSWERS = {"document", "xhr", "fetch"}
# A page that is left gives up what it was loading.
ABORTED = "net::ERR_ABORTED"
# A refusal without a page of its own; its status is noted with the response.
NO_BODY = "net::ERR_HTTP_RESPONSE_CODE_FAILURE"
# A refusal is an error for the console alone, and _on_response tells it from a real one. The others
# are what htmx says when a newer request takes the place of one that is under way.
HARMLESS = ("Failed to load resource", "htmx:afterRequest", "htmx:sendAbort")

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Watch:
    """Listens to every page of a browser context."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._origin = origin
        self.complaints: list[str] = []
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._on_error(error.error))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.complaints.append(f"console: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"script: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "data:", "blob:", "about:")):
            self.complaints.append(f"another origin: {request.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure not in (None, ABORTED, NO_BODY):
            self.complaints.append(f"{request.failure}: {request.url}")

    def _on_response(self, response: Response) -> None:
        is_refusal = response.status in REFUSALS and response.request.resource_type in ANSWERS
        if response.status >= 400 and not is_refusal:
            self.complaints.append(f"{response.status}: {response.url}")
