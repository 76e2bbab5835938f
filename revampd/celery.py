"""The Celery application: `celery -A revampd worker`, `celery -A revampd beat`."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revampd.settings")

app = Celery("revampd")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def say_ready(**_: Any) -> None:
    """Tell whoever started us, if they named a file, that tasks are taken from now on."""
    if path := os.environ.get("REVAMPD_WORKER_READY_FILE"):
        Path(path).touch()
