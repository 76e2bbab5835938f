"""A real browser before the running product, and whoever a test wants to sign in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from connections.models import Outbox, User
from devstack import browser as finder
from devstack.processes import Processes
from tests.cast import Cast, assemble
from tests.conftest import emptied_afterwards

from .house import House
from .watching import Watch

HERE = Path(__file__).parent
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",  # a container's shared memory is small
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 10_000  # milliseconds; also what the bell may take

Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            # One worker process of pytest has the browser, the web server and the worker.
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def put_cables_first(items: list[pytest.Item]) -> None:
    """A browser gives up what it loads when the machine's network changes. What changes it is over
    before the first browser opens, in the same process.
    """
    items.sort(key=lambda item: not item.get_closest_marker("pulls_cables"))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. Playwright leaves an event loop running, which Django takes for async code."""
    options = finder.find()
    if options is None:
        pytest.fail(finder.HELP, pytrace=False)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(args=QUIET, **options)  # type: ignore[arg-type]
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web server and worker on the test database, for all browser tests."""
    with Processes() as processes:
        house = House(tmp_path_factory.mktemp("house"), processes)
        yield house.start()
    house.close()


class Windows:
    """The browser windows of one test, each a person with cookies of their own."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser = browser
        self._house = house
        self._watches: list[Watch] = []
        self._contexts: list[Any] = []

    def open(
        self,
        user: User | None = None,
        *,
        width: int = 1440,
        dark: bool = False,
        javascript: bool = True,
    ) -> Page:
        """An empty window in which `user` is signed in, or nobody."""
        context = self._browser.new_context(
            base_url=self._house.url,
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale="en-US",
            reduced_motion="reduce",
            timezone_id="UTC",
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(PATIENCE)
        if user:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "url": self._house.url}
            context.add_cookies([{**cookie, "value": self._house.session_of(user)}])  # type: ignore[typeddict-item]
        self._contexts.append(context)
        self._watches.append(Watch(context, self._house.url))
        return context.new_page()

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def take_complaints(self) -> list[str]:
        """What the pages did wrong since the last call."""
        taken = [complaint for watch in self._watches for complaint in watch.complaints]
        for watch in self._watches:
            watch.complaints.clear()
        return taken


@pytest.fixture
def windows(chromium: Browser, house: House) -> Iterator[Windows]:
    """Opens windows; the test fails if any page complains or the product logs an error."""
    windows = Windows(chromium, house)
    yield windows
    windows.close()
    house.wait_until_worked_off()
    house.forget_mails()
    assert windows.take_complaints() == []
    assert house.troubles() == []


@pytest.fixture
def committed(committed: None, house: House) -> Iterator[None]:
    """Emptied once nobody works on it any more: the windows are closed by then."""
    yield
    house.wait_until_quiet()


@pytest.fixture
def browse(committed_cast: Cast, windows: Windows, house: House) -> Iterator[Open]:
    """`browse(user, "/path/")` is a page in a window of that person's; see Windows.open.

    A test begins with nothing to tell: how the cast came together is an old story.
    """

    def browse(user: User | None = None, path: str = "/", **options: Any) -> Page:
        page = windows.open(user, **options)
        page.goto(path)
        return page

    Outbox.objects.all().delete()
    with house.listening():
        yield browse


@pytest.fixture(scope="module")
def lasting_cast(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, house: House
) -> Iterator[Cast]:
    """Everybody, committed, for all tests of a module that only look."""
    with django_db_blocker.unblock(), emptied_afterwards():
        yield assemble()
        house.wait_until_quiet()
