"""How gunicorn serves Revampd: `gunicorn revampd.wsgi` in this folder finds this file.

Behind a proxy that ends TLS and sets X-Forwarded-For and X-Forwarded-Proto. What is set on the
command line or in GUNICORN_CMD_ARGS wins; PORT and WEB_CONCURRENCY are gunicorn's own variables.
"""

import os
import tempfile
from typing import Any

worker_class = "gthread"  # pages wait for the database: threads share what a process has loaded
threads = 4
timeout = 60  # a statement may take 30 seconds
graceful_timeout = 30  # what is under way at a restart comes to its end
keepalive = 75  # longer than the proxy keeps its connections, or it hits closed ones
max_requests, max_requests_jitter = 10_000, 1_000
control_socket_disable = True

metrics_address = os.environ.get("REVAMPD_METRICS_ADDRESS", "")
if metrics_address and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="revampd-figures-")

if os.environ.get("REVAMPD_MODE", "production") == "production":
    logconfig_dict = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "revampd.kit.logs.JsonLines"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
        "root": {"level": "INFO", "handlers": ["console"]},
    }


def when_ready(_server: Any) -> None:
    """The process that starts all others adds up what they count."""
    if metrics_address:
        from revampd.kit.metrics import serve

        serve(metrics_address)


def child_exit(_server: Any, worker: Any) -> None:
    if metrics_address:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
