"""What a process counts while it works, and where Prometheus reads it.

Web and worker are many processes: each counts in a file of its own, and the one that started them
adds them up. Figures of the product itself, such as what waits, stand in `revampd/figures.py`.
"""

import os
from typing import Any

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SHORT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG = (0.05, 0.25, 1, 5, 15, 60, 180, 540)

REQUESTS = Counter("revampd_requests", "Requests that were answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "revampd_request_seconds", "How long requests took", ["route"], buckets=SHORT
)
TASKS = Counter("revampd_tasks", "Tasks that came to an end", ["task", "outcome"])
TASK_SECONDS = Histogram("revampd_task_seconds", "How long tasks took", ["task"], buckets=LONG)
EVENTS = Counter("revampd_events", "What happened and was told, by its kind", ["code"])
BEAT = Gauge(
    "revampd_beat_sends", "1 if this beat is the one that sends", multiprocess_mode="livemax"
)


def serve(address: str, *more: Collector) -> Any:
    """Answer Prometheus at host:port from now on, in a thread. Returns the server."""
    host, _, port = address.rpartition(":")
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    for collector in more:
        registry.register(collector)
    server, _ = start_http_server(int(port), addr=host.strip("[]"), registry=registry)
    return server
