"""`manage.py answers URL`: whether a page of this site answers, asked past the proxy."""

import urllib.request
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

PATIENCE = 5  # seconds


class Command(BaseCommand):
    help = "Asks for a page under this site's own name and fails unless it answers with 200."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="such as http://127.0.0.1:8000/healthz")

    def handle(self, *_: Any, url: str, **__: Any) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise CommandError(f"{url} is no address that begins with http:// or https://.")
        name = str(urlsplit(settings.BASE_URL).hostname)
        asked = urllib.request.Request(url, headers={"Host": name})  # noqa: S310 - looked at above
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
                self.stdout.write(answer.read().decode())
        except (URLError, OSError) as error:
            raise CommandError(f"{url} does not answer: {error}") from error
