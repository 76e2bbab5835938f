"""What leaves for Sentry and OpenTelemetry: where something happened, and nobody's name.

The libraries are no part of `./run.py test`; with `requirements/sentry.lock` and `otel.lock`
installed, their part is tried against a collector of the tests.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec

import brotli
import pytest

from devstack.checks import production_environment
from devstack.places import ROOT
from revampd.kit.telemetry import without_people

UNPACK = {"gzip": gzip.decompress, "br": brotli.decompress}
FAIL = """
import django; django.setup()
from django.test import Client
import sentry_sdk
from django.urls import path
from revampd import urls

def explode(request, token):
    secret_variable = "hunter2"
    error = ValueError("maya@northwind.example is not welcome")
    error.add_note("while billing Bluebird Health")
    raise error

explode.login_url = None
from django.contrib.auth.decorators import login_not_required
urls.urlpatterns.insert(0, path("explode/<str:token>/", login_not_required(explode)))
client = Client(raise_request_exception=False, headers={"host": "revampd.example"})
answer = client.post("/explode/a-token/?next=hidden", {"body": "posted"}, secure=True)
sentry_sdk.flush(10)
print(answer.status_code)
"""
TRACE = """
import django; django.setup()
from django.test import Client
from opentelemetry import trace
answer = Client(headers={"host": "revampd.example"}).get("/invitations/a-token/?next=hidden")
with trace.get_tracer("test").start_as_current_span("work") as span:
    span.set_attribute("who", "maya@northwind.example")
trace.get_tracer_provider().force_flush()
print(answer.status_code)
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes what is sent to it, and its port."""
    taken: list[bytes] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            unpack = UNPACK.get(self.headers.get("Content-Encoding", ""), bytes)
            taken.append(unpack(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def run(code: str, **settings: str) -> str:
    env = os.environ | production_environment() | {"REVAMPD_MODE": "test"} | settings
    for name in ("REVAMPD_DATABASE_URL", "REVAMPD_REDIS_URL"):
        env[name] = os.environ[name]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


class TestWithoutPeople:
    def test_keeps_where_it_happened_and_masks_what_was_said(self):
        error = ValueError("maya@northwind.example is not welcome")
        error.add_note("while billing Bluebird Health")
        said = f"{error}\nwhile billing Bluebird Health"
        event = {
            "transaction": "/connections/<uuid:connection_id>/",
            "request": {"url": "https://portal.example/invitations/token/", "cookies": "x"},
            "user": {"email": "maya@northwind.example"},
            "breadcrumbs": {"values": [{"message": "GET /invitations/token/"}]},
            "exception": {"values": [{"type": "ValueError", "value": said}]},
        }

        sent = without_people(event, {"exc_info": (ValueError, error, None)})

        assert sent == {
            "transaction": "/connections/<uuid:connection_id>/",
            "exception": {"values": [{"type": "ValueError", "value": "[e-mail] is not welcome\n"}]},
        }


@pytest.mark.skipif(not find_spec("sentry_sdk"), reason="requirements/sentry.lock is absent")
class TestSentry:
    def test_learns_of_an_error_and_of_nobody(self, collector):
        address, taken = collector

        status = run(FAIL, REVAMPD_SENTRY_DSN=f"http://key@{address}/1", REVAMPD_RELEASE="7")

        assert status == "500"
        told = b"\n".join(taken).decode()
        assert '"ValueError"' in told
        assert json.dumps("/explode/{token}/") in told or "explode" in told
        secrets = ("maya@", "Bluebird", "hunter2", "a-token", "hidden", "posted")
        assert [secret for secret in secrets if secret in told.replace("while billing", "")] == []


@pytest.mark.skipif(not find_spec("opentelemetry"), reason="requirements/otel.lock is absent")
class TestOpenTelemetry:
    def test_learns_how_long_a_page_took_and_not_which(self, collector):
        address, taken = collector

        run(TRACE, REVAMPD_OTEL_ENDPOINT=f"http://{address}/v1/traces")

        told = b"\n".join(taken)
        assert b"invitations/<str:token>/" in told
        assert b"[e-mail]" in told
        for secret in (b"a-token", b"hidden", b"maya@"):
            assert secret not in told
