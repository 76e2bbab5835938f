"""What a day brings in matters of money, in its order: for the moved clock of the demo."""

from datetime import datetime

from django.conf import settings

from .collecting import collect_due, reconcile
from .cycle import bill_due
from .disputing import follow_disputes
from .postman import deliver
from .refunding import settle_refunds
from .webhooks import work_off


def work(at: datetime) -> None:
    """Do what is due at real time `at`, on each connection by its own clock.

    The same verbs as Celery's tasks call. Doing it again finds nothing more to do.
    """
    bill_due(at=at)
    collect_due(at=at)
    settle_refunds(at=at)
    if settings.HAS_SANDBOX:
        deliver(at=at)
    work_off(at=at)
    reconcile(at=at)
    follow_disputes(at=at)
