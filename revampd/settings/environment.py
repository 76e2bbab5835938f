"""The environment, read once. Whatever is wrong with it is said in a sentence, all at once."""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from .safety import refuse_unsafe

ROOT = Path(__file__).resolve().parents[2]


class Environment(environ.Env):
    """Remembers what was asked for, so that a name that nobody reads is found."""

    asked: set[str] = set()

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(var)
        return super().get_value(var, *args, **kwargs)


env = Environment()


def number(name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """A whole number. Raises ImproperlyConfigured with the range."""
    text = env.str(name, default=str(default))
    value = int(text) if text.removeprefix("-").isdecimal() else None
    if value is None or value < least or (most is not None and value > most):
        reach = f" from {least} to {most}" if most is not None else f", {least} or more"
        raise ImproperlyConfigured(f"{name} is a whole number{reach}; it is “{text}”.")
    return value


MODE = env.str("REVAMPD_MODE", default="production")
if MODE not in ("production", "demo", "test"):
    raise ImproperlyConfigured("REVAMPD_MODE is production, demo or test")
IS_PRODUCTION = MODE == "production"
IS_DEMO = MODE == "demo"
IS_TEST = MODE == "test"
DEBUG = False

if IS_PRODUCTION:
    refuse_unsafe(os.environ)

LOCAL = Path(env.str("REVAMPD_LOCAL_DIR", default=str(ROOT / ".local")))
