"""One demo for all tests here: playing it takes seconds. Each test's own changes are undone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from revampd.demo.seed import seed

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def _played(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        assert seed(NOW)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(_played: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo as it stands right after seeding."""
    with django_db_blocker.unblock():
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
