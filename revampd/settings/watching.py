"""What the house tells of itself: log lines, figures, errors, traces. None of it names people."""

import os
import sys
import tempfile

from .environment import IS_PRODUCTION, env

LOG_FORMAT = env.str("REVAMPD_LOG_FORMAT", default="json" if IS_PRODUCTION else "line")
LOG_LEVEL = env.str("REVAMPD_LOG_LEVEL", default="INFO" if IS_PRODUCTION else "WARNING").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(levelname)s %(name)s: %(message)s"},
        "json": {"()": "revampd.kit.logs.JsonLines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Django's own handlers would write every error twice, one of them by mail.
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "WARNING"},
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # what is refused has its line, too
        # A line a task is ours (`revampd/tasks.py`); these would add three, every five seconds.
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
    },
}

# Where Prometheus finds the figures of this process, as host:port. Without: nobody listens.
METRICS_ADDRESS = env.str("REVAMPD_METRICS_ADDRESS", default="")
if METRICS_ADDRESS and "worker" in sys.argv and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # The children of a worker count in files of one folder, which must be there before the
    # library is imported; for a web server gunicorn.conf.py makes it.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="revampd-figures-")

# Sentry and OpenTelemetry, if they are wanted: `revampd/kit/telemetry.py`.
SENTRY_DSN = env.str("REVAMPD_SENTRY_DSN", default="")
OTEL_ENDPOINT = env.str("REVAMPD_OTEL_ENDPOINT", default="")
RELEASE = env.str("REVAMPD_RELEASE", default="")
