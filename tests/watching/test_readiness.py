"""/healthz and /readyz: what a load balancer is told."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client

from revampd.kit import readiness


class TestHealth:
    def test_is_answered_whatever_the_database_does(self, client):
        answer = client.get("/healthz")

        assert (answer.status_code, answer.content) == (HTTPStatus.OK, b"ok")

    @pytest.mark.parametrize("page", ["/healthz", "/readyz"])
    def test_is_asked_from_inside_without_tls(self, db, settings, page):
        settings.SECURE_SSL_REDIRECT = True

        assert Client().get(page).status_code == HTTPStatus.OK
        assert Client().get("/").status_code == HTTPStatus.MOVED_PERMANENTLY


class TestReadiness:
    def test_is_told_for_each_thing_that_is_needed(self, client, db):
        answer = client.get("/readyz")

        assert answer.status_code == HTTPStatus.OK
        assert answer.json() == {"database": "ok", "migrations": "ok", "broker": "ok"}

    def test_goes_on_without_the_broker_and_says_so(self, client, db, settings):
        settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"

        answer = client.get("/readyz")
        assert answer.status_code == HTTPStatus.OK
        assert answer.json()["broker"].startswith("does not answer")

    def test_ends_without_the_database(self, client, db, monkeypatch):
        monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")

        answer = client.get("/readyz")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.json()["database"] == "does not answer"

    def test_waits_for_migrations(self, client, db, monkeypatch):
        monkeypatch.setattr(readiness, "_applied", [])
        behind = _behind(readiness.MigrationExecutor)
        monkeypatch.setattr(readiness, "MigrationExecutor", behind)

        answer = client.get("/readyz")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.json()["migrations"] == "not applied: run manage.py migrate"


def _behind(executor):
    """An executor on a database in which the newest migration of billing was never applied."""

    class Behind(executor):
        def __init__(self, *args):
            super().__init__(*args)
            newest = max(key for key in self.loader.applied_migrations if key[0] == "billing")
            del self.loader.applied_migrations[newest]

    return Behind
