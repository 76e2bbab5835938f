"""Where things are kept: PostgreSQL as two roles, and a cache that may be lost."""

from typing import Any

import environ

from .environment import env

DATABASE_URL = env.str("REVAMPD_DATABASE_URL", default="postgres:///revampd")
DATABASE_OPTIONS = {
    # A statement that waits long for a lock, or runs away, gives its worker back.
    "options": "-c lock_timeout=5s -c statement_timeout=30s"
    " -c idle_in_transaction_session_timeout=60s"
    # A machine that was cut off lets go of what it held within a minute, on both ends.
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    # What revampd/kit/prepared.py sends is planned once a connection.
    "prepare_threshold": 2,
}


def database(url: str) -> dict[str, Any]:
    """Django's settings of one database role."""
    parsed: dict[str, Any] = environ.Env.db_url_config(url)
    options = DATABASE_OPTIONS | parsed.pop("OPTIONS", {})
    return parsed | {"OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


DATABASES = {
    # The application's role: it cannot change or empty what is append-only.
    "default": database(DATABASE_URL),
    # The role that owns the schema: `manage.py migrate`, `backup` and `restore` use it.
    "owner": database(env.str("REVAMPD_DATABASE_OWNER_URL", default=DATABASE_URL))
    | {"TEST": {"MIRROR": "default"}, "CONN_MAX_AGE": 0},
}
# Where pg_dump and pg_restore are, if they are not on the PATH.
POSTGRES_BIN = env.str("REVAMPD_POSTGRES_BIN", default="")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REVAMPD_REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "revampd.kit.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
# A lost cache signs nobody out: the database has the sessions too.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
