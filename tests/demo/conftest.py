"""One demo for all tests here: playing it takes long. Each test's own changes are undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from revampd.demo.seed import seed
from tests.databases import made

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def _played(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of a copy of the test database, in which the demo was played."""
    empty = connection.settings_dict["NAME"]
    played = f"{empty}_demo"
    with django_db_blocker.unblock():
        for one in connections.all():
            one.close()
        with made(played, empty):
            with _connected_to(played), transaction.atomic():
                assert seed(NOW)
                connection.run_on_commit = []
            yield played


@contextmanager
def _connected_to(database: str) -> Iterator[None]:
    """Both roles are, as long as the block lasts."""
    before = connection.settings_dict["NAME"]
    _connect_to(database)
    try:
        yield
    finally:
        _connect_to(before)


def _connect_to(database: str) -> None:
    for one in connections.all():
        one.close()
        one.settings_dict["NAME"] = database


@pytest.fixture
def demo(_played: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo as it stands right after seeding."""
    with django_db_blocker.unblock(), _connected_to(_played):
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        connection.run_on_commit = []


@pytest.fixture
def demo_mode(settings: Settings, tmp_path: Path) -> Settings:
    """What demo mode changes: the pages, the context of the login page, mail in files."""
    settings.IS_DEMO = True
    settings.ROOT_URLCONF = "tests.demo.urls"
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    engine = settings.TEMPLATES[0]
    processors = engine["OPTIONS"]["context_processors"]
    options = engine["OPTIONS"] | {
        "context_processors": [
            *processors,
            "revampd.demo.context.people",
            "revampd.demo.context.moved_clock",
        ]
    }
    settings.TEMPLATES = [engine | {"OPTIONS": options}]
    return settings


@pytest.fixture
def maya(client: Client) -> Client:
    client.post("/demo/sign-in/maya/")
    return client
