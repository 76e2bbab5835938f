"""What every test shares: a database as the application's role sees it, and the cast."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

from billing.models import Invoice
from connections.models import User
from revampd.kit.grants import grant
from tests.cast import Cast, assemble
from tests.upgrading.filled import Filled, filled_earlier

# The same examples in every run, so that a failure is the change's own. To look for new ones:
# HYPOTHESIS_PROFILE=explore ./run.py test tests/billing
hypothesis_settings.register_profile("repeat", derandomize=True)
hypothesis_settings.register_profile("explore", max_examples=1_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

OWNER_FIELDS = ("USER", "PASSWORD")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--upgraded",
        action="store_true",
        help="run on a database that an earlier commit made and filled, and this one upgraded",
    )


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled | None]:
    """A database that an earlier commit made and filled; None if there is no such commit here."""
    with filled_earlier(f"earlier_{os.getpid()}", tmp_path_factory.mktemp("earlier")) as filled:
        yield filled


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, worker_id: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The test database: made and migrated by the owner's role, used as the application's.

    With `--upgraded`, and where there is an earlier commit, it begins as a copy of what that one
    filled, so that what is migrated has data. Then it is emptied: each test brings its own.
    """
    is_upgraded = request.config.getoption("upgraded")
    filled: Filled | None = request.getfixturevalue("filled") if is_upgraded else None
    app, owner = connections["default"], connections["owner"]
    role = {field: app.settings_dict[field] for field in OWNER_FIELDS}
    with django_db_blocker.unblock():
        app.settings_dict |= {field: owner.settings_dict[field] for field in OWNER_FIELDS}
        app.settings_dict["TEST"] |= {
            "NAME": f"test_revampd_{worker_id}",
            "TEMPLATE": filled.database if filled else None,
        }
        made = setup_databases(verbosity=0, interactive=False, aliases={"default": None})
        owner.settings_dict["NAME"] = app.settings_dict["NAME"]
        grant(app, role["USER"], apps.get_models(include_auto_created=True))
        if filled:
            assert Invoice.objects.exists(), "there was nothing to upgrade"
            _empty_database()
        app.close()
        app.settings_dict |= role
    yield
    with django_db_blocker.unblock():
        app.close()
        app.settings_dict |= {field: owner.settings_dict[field] for field in OWNER_FIELDS}
        owner.close()
        teardown_databases(made, verbosity=0)
        app.settings_dict |= role


@pytest.fixture(scope="session", autouse=True)
def _own_cache(worker_id: str) -> None:
    """A Redis database for each worker: they would empty each other's cache."""
    number = worker_id.removeprefix("gw") if worker_id != "master" else "0"
    cache_settings = settings.CACHES["default"]
    cache_settings["LOCATION"] = re.sub(r"(db=|/)\d+$", rf"\g<1>{number}", settings.REDIS_URL)
    # Whatever was imported before may hold a connection to the common one.
    caches["default"] = caches.create_connection("default")


@pytest.fixture(autouse=True)
def _empty_cache(_own_cache: None) -> None:
    cache.clear()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which tests commit for real, as several threads or processes need it.

    Afterwards the owner's role empties it: the application's role cannot.
    """
    with django_db_blocker.unblock(), emptied_afterwards():
        assert not connections["default"].in_atomic_block, "somebody else's transaction is open"
        yield


@contextmanager
def emptied_afterwards() -> Iterator[None]:
    """What is committed inside the block is gone after it."""
    try:
        yield
    finally:
        for connection in connections.all():
            connection.close()
        _empty_database()


def _empty_database() -> None:
    owner = connections["owner"]
    kept = {"django_migrations", "django_content_type", "auth_permission", "billing_pricelimits"}
    kept |= {"auth_group", "auth_group_permissions"}
    tables = sorted(set(owner.introspection.table_names()) - kept)
    with without_triggers(owner), owner.cursor() as cursor:
        names = ", ".join(owner.ops.quote_name(table) for table in tables)
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")


@contextmanager
def without_triggers(owner: BaseDatabaseWrapper, *tables: type[Model]) -> Iterator[None]:
    """The triggers of these tables, or all of ours, are set aside: the owner's role alone can.

    It takes the time that it needs, and hangs up afterwards.
    """
    ours: Any = pgtrigger.registered()
    names = [one.get_pgid(model) for model, one in ours if not tables or model in tables]
    try:
        with owner.cursor() as cursor:
            ignored = "{" + ",".join(names) + "}"
            cursor.execute("SELECT set_config('pgtrigger.ignore', %s, false)", [ignored])
            cursor.execute("SET statement_timeout = 0")
            yield
    finally:
        owner.close()


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody, in a transaction that is rolled back."""
    return assemble()


@pytest.fixture
def committed_cast(committed: None) -> Cast:
    """Everybody, committed."""
    return assemble()


@pytest.fixture
def as_(client: Client):
    """`as_(user)` is a browser in which that person is signed in."""

    def sign_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return browser

    return sign_in
