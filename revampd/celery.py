"""The Celery application: `celery -A revampd worker`, `celery -A revampd beat`."""

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revampd.settings")

app = Celery("revampd")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_to_our_logging(**_: Any) -> None:
    """Workers and beat write the same lines as the web does."""
    dictConfig(settings.LOGGING)
