"""One site of pages.py, in a process of its own: measures the pages that it is told.

Reads an order a line and answers each with a line, both JSON.
"""

import cProfile
import io
import json
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.servers.basehttp import get_internal_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from measuring import cpu_of  # noqa: E402

WARM_UPS = 15
ANSWERS = (["200 OK"], ["204 No Content"])  # the latter of what is asked for and has not changed
SHOWN = 45  # lines of a profile
QUERY_SHOWN = 150  # characters
LAYERS = {
    "templates": ("django/template", "django/utils/html", "django/utils/safestring"),
    "formats, dates, addresses": (
        *("django/utils/formats", "django/utils/numberformat", "django/utils/dateformat"),
        *("django/utils/timezone", "django/urls", "html/__init__"),
    ),
    "ORM": ("django/db/models", "django/utils/tree", "django/utils/hashable", "inspect.py"),
    "driver": ("django/db", "psycopg"),
    "sessions, accounts": ("django/contrib/sessions", "django/contrib/auth", "allauth", "redis"),
    "ours": (
        str(ROOT / "billing"),
        str(ROOT / "connections"),
        str(ROOT / "notifications"),
        str(ROOT / "revampd"),
    ),
}

application = get_internal_wsgi_application()
cookies: dict[str, str] = {}


def sign_in(who: str) -> str:
    users = get_user_model()
    client = Client()
    user = users.objects.get(**{users.USERNAME_FIELD: who})
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies.output(header="", attrs=[]).strip()


def get(path: str, who: str) -> bytes:
    """The page, as a server would ask for it."""
    if who not in cookies:
        cookies[who] = sign_in(who)
    address, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": address,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_COOKIE": cookies[who],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    said: list[str] = []
    answer = application(environ, lambda status, _headers: said.append(status))
    body = b"".join(answer)
    answer.close()
    if said not in ANSWERS:
        sys.exit(f"{path} answers {said} to {who}")
    return body


def measure(path: str, who: str, requests: int) -> dict[str, Any]:
    """Milliseconds a request: CPU of this process and of its database process, and wall."""
    connection.close()  # so that it does not come of age while it is measured
    for _ in range(WARM_UPS):
        get(path, who)
    with CaptureQueriesContext(connection) as captured:
        size = len(get(path, who))
    queries = len(captured)  # at once: the next request forgets them
    backend = connection.connection.info.backend_pid
    walls = []
    own, its = time.process_time(), cpu_of(backend)
    for _ in range(requests):
        begun = time.perf_counter()
        get(path, who)
        walls.append((time.perf_counter() - begun) * 1000)
    own, its = time.process_time() - own, cpu_of(backend) - its
    return {
        "size": size,
        "queries": queries,
        "python": own * 1000 / requests,
        "database": its * 1000 / requests,
        "wall": median(walls),
    }


def profile(path: str, who: str, requests: int) -> dict[str, Any]:
    """What is asked, and where the CPU of this process goes: by layer and by function."""
    for _ in range(WARM_UPS):
        get(path, who)
    with CaptureQueriesContext(connection) as captured:
        get(path, who)
    asked = [str(query["sql"])[:QUERY_SHOWN] for query in captured]
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for _ in range(requests):
        get(path, who)
    profiler.disable()
    text = io.StringIO()
    print("", *asked, "", sep="\n", file=text)
    stats = pstats.Stats(profiler, stream=text)
    for layer, share in layers(stats).most_common():
        print(f"{share:6.1%}  {layer}", file=text)
    stats.sort_stats("cumulative").print_stats(SHOWN)
    return {"text": text.getvalue()}


def layers(stats: pstats.Stats) -> Counter[str]:
    """The share of each layer; what is built in counts for the layer that calls it."""
    found: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in stats.stats.items():
        if file != "~":
            found[layer_of(file)] += own
        else:
            for (caller, _, _), (_, _, its, _) in callers.items():
                found[layer_of(caller)] += its
    total = found.total()
    return Counter({layer: seconds / total for layer, seconds in found.items()})


def layer_of(file: str) -> str:
    parts = (layer for layer, places in LAYERS.items() if any(place in file for place in places))
    return next(parts, "other")


ACTS = {"measure": measure, "profile": profile}

if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(ACTS[order.pop("act")](**order)), flush=True)
