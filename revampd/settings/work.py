"""Work in the background: PostgreSQL holds what is to do, the broker only rings."""

from urllib.parse import parse_qs, urlsplit

from celery.schedules import crontab

from .data import REDIS_URL
from .environment import IS_DEMO, env
from .payments import HAS_SANDBOX


def broker_url(redis_url: str) -> str:
    """Celery's spelling of `REVAMPD_REDIS_URL`; it differs for a unix socket."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Nobody waits for a dead or hung broker: a request rings once, beat sweeps for what was missed.
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    "visibility_timeout": 600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 540
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
# One beat at a time, however many are started: the others wait.
CELERY_BEAT_SCHEDULER = "revampd.beat:OneBeat"
CELERY_BEAT_SCHEDULE = {
    "end views": {"task": "connections.end_viewings", "schedule": 60},
    "tell what happened": {"task": "notifications.drain_events", "schedule": 5},
    "compose daily summaries": {"task": "notifications.compose_digests", "schedule": 60},
    "send mail": {"task": "notifications.send_deliveries", "schedule": 15},
    "expire requests": {"task": "billing.expire_requests", "schedule": 10 * 60},
    "remind of requests": {"task": "billing.remind_of_requests", "schedule": 30 * 60},
    "bill what is due": {"task": "billing.run_cycle", "schedule": 60 * 60},
    "go on with runs that were asked for": {"task": "billing.run_asked", "schedule": 60},
    "verify the books": {
        "task": "billing.verify_books",
        "schedule": crontab(hour="3", minute="30"),
    },
    "check the books for staff": {"task": "billing.check_books", "schedule": 60},
    "collect payments": {"task": "billing.collect_payments", "schedule": 3 * 60},
    "reconcile payments": {"task": "billing.reconcile_payments", "schedule": 60},
    "look for disputes": {
        "task": "billing.find_disputes",
        "schedule": crontab(hour="*/6", minute="17"),
    },
    "settle refunds": {"task": "billing.settle_refunds", "schedule": 60},
    "work off webhooks": {"task": "billing.work_off_webhooks", "schedule": 15},
    "import Sub-Orgs": {"task": "billing.import_sub_orgs", "schedule": 5},
    "collect earnings": {"task": "payouts.collect_earnings", "schedule": 5 * 60},
    "close the week": {"task": "payouts.close_weeks", "schedule": 15 * 60},
    "pay affiliates": {"task": "payouts.pay_affiliates", "schedule": 15 * 60},
    "work off webhooks of payouts": {"task": "payouts.work_off_webhooks", "schedule": 15},
    "send payouts": {"task": "payouts.send_transfers", "schedule": 60},
    "make PDFs": {"task": "billing.file_documents", "schedule": 60},
}
if IS_DEMO:
    CELERY_IMPORTS = ["revampd.demo.tasks"]
    CELERY_BEAT_SCHEDULE["move the demo's clock"] = {"task": "demo.move_clock", "schedule": 5}
if HAS_SANDBOX:
    for app in ("billing", "payouts"):
        CELERY_BEAT_SCHEDULE[f"deliver the sandbox's webhooks of {app}"] = {
            "task": f"{app}.deliver_sandbox_webhooks",
            "schedule": 5,
        }

# A file that a worker makes as soon as it takes tasks, for whoever started it.
WORKER_READY_FILE = env.str("REVAMPD_WORKER_READY_FILE", default="")
