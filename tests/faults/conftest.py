"""What tests that kill things are given: servers and workers of their own."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devstack.places import temporary_home
from devstack.processes import Processes
from revampd.celery import app
from revampd.settings import broker_url

from .house import House
from .servers import Broker, Worker, database_url


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short name: the path of a socket must not be long."""
    folder = Path(tempfile.mkdtemp(prefix="faults-")).resolve()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def broker(home, settings, monkeypatch) -> Iterator[Broker]:
    """A running broker, which this process too uses to ring and as its cache."""
    broker = Broker(home)
    broker.start()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": broker.url}}
    monkeypatch.setenv("CELERY_BROKER_URL", broker_url(broker.url))
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    yield broker
    broker.close()


@pytest.fixture
def worker(home, committed_cast, broker) -> Iterator[Worker]:
    """A worker that has not been started yet."""
    worker = Worker(home, database_url(), broker)
    yield worker
    worker.close()


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """Books to be billed, undisturbed at first; one house for all tests that disturb."""
    with ExitStack() as stack:
        home = stack.enter_context(temporary_home())
        broker = Broker(home)
        stack.callback(broker.close)
        yield House(home, stack.enter_context(Processes()), broker)


@pytest.fixture
def moments() -> random.Random:
    seed = random.randrange(10**6)
    print(f"\nmoments drawn with seed {seed}")  # noqa: T201 - to have the same ones again
    return random.Random(seed)
