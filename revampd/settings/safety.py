"""What production refuses to start with, and how to mend it.

A setting that is wrong is found when somebody is looking, at the start, and not at night.
"""

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY, FEWEST_CHARACTERS = 50, 10
NEW_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(64))"'
REQUIRED = {
    "REVAMPD_SECRET_KEY": f"a long random text, as this prints: {NEW_KEY}",
    "REVAMPD_BASE_URL": "the address people open, such as https://portal.example",
    "REVAMPD_DATABASE_URL": "such as postgres://revampd_app:password@host:5432/revampd",
    "REVAMPD_REDIS_URL": "such as redis://host:6379/0 or unix:///path?db=0",
    "REVAMPD_EMAIL_URL": "such as smtp+tls://user:password@host:587",
    "REVAMPD_FROM_EMAIL": "the sender of all mail, such as Revampd <billing@portal.example>",
}
DATABASES = ("postgres", "postgresql", "pgsql")
BROKERS = ("redis", "rediss", "unix")
MAIL = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
HERE = ("", "localhost", "127.0.0.1", "::1")
# Of the two commands for developers; they may stand in the environment of the same machine.
OF_DEVELOPERS = ("REVAMPD_BROWSER", "REVAMPD_DB_ACCOUNT", "REVAMPD_SYSTEM_SERVERS")


def refuse_unsafe(environment: Mapping[str, str]) -> None:
    """Raises ImproperlyConfigured with a line for each setting that is missing or unsafe."""
    if found := list(problems(environment)):
        raise ImproperlyConfigured("\n".join(["Revampd does not start like this:", *found]))


def problems(environment: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each: which setting, what is wrong, how to mend it."""
    given = {name: value.strip() for name, value in environment.items()}
    for name, example in REQUIRED.items():
        if not given.get(name):
            yield f"{name} is missing: set it to {example}."
    yield from _key(given.get("REVAMPD_SECRET_KEY", ""))
    yield from _address(given.get("REVAMPD_BASE_URL", ""))
    yield from _scheme("REVAMPD_DATABASE_URL", given, DATABASES)
    yield from _scheme("REVAMPD_DATABASE_OWNER_URL", given, DATABASES)
    yield from _scheme("REVAMPD_REDIS_URL", given, BROKERS)
    yield from _scheme("REVAMPD_EMAIL_URL", given, MAIL)
    yield from _mail(given.get("REVAMPD_EMAIL_URL", ""))
    yield from _hosts(given.get("REVAMPD_ALLOWED_HOSTS", ""))


def _key(key: str) -> Iterator[str]:
    if key and (len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS):
        yield (
            "REVAMPD_SECRET_KEY is too easily guessed: it needs at least "
            f"{SHORTEST_KEY} random characters, as this prints: {NEW_KEY}."
        )


def _address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if url and (parts.scheme != "https" or not parts.hostname):
        yield (
            "REVAMPD_BASE_URL does not begin with https://: passwords and invoices would travel "
            "in the open. Put a proxy with a certificate in front: docs/deploy.md."
        )
    elif url and (parts.path.strip("/") or parts.query):
        yield "REVAMPD_BASE_URL has a path: leave what comes after the host away."


def _scheme(name: str, given: Mapping[str, str], schemes: tuple[str, ...]) -> Iterator[str]:
    value = given.get(name, "")
    if value and urlsplit(value).scheme not in schemes:
        yield f"{name} begins with none of {', '.join(f'{scheme}://' for scheme in schemes)}."


def _mail(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme == "smtp" and parts.password and parts.hostname not in HERE:
        yield (
            "REVAMPD_EMAIL_URL sends its password in the open: begin it with smtp+tls:// or "
            "smtp+ssl://."
        )


def _hosts(hosts: str) -> Iterator[str]:
    if any(host.strip().startswith(("*", ".")) for host in hosts.split(",")):
        yield (
            "REVAMPD_ALLOWED_HOSTS takes any host: name each one, or leave it away for the one "
            "of REVAMPD_BASE_URL."
        )


def strangers(given: Mapping[str, str], asked: set[str]) -> list[str]:
    """Names that look like settings and that nothing has read: a slip of the pen, or too much."""
    ours = {name for name in given if name.startswith("REVAMPD_")}
    ours -= {name for name in ours if name.startswith("REVAMPD_DEVSTACK_")}
    return sorted(ours - asked - {*OF_DEVELOPERS})


def refuse_strangers(asked: set[str]) -> None:
    """Raises ImproperlyConfigured if a name was misspelt: its default would serve in silence."""
    if found := strangers(os.environ, asked):
        raise ImproperlyConfigured(
            f"Nothing reads {', '.join(found)}: docs/settings.md has the names of all settings. "
            "Some count only together with another one."
        )
