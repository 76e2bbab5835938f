"""What the workers of the product do, all of it at once: for the seed and for the moved clock."""

from datetime import datetime

from billing.collecting import collect_due, reconcile, settle_refunds
from billing.cycle import bill_due
from billing.deadlines import expire_overdue, remind_of_pending


def collect(at: datetime) -> None:
    """Take the money that is due, and learn what became of the attempts before."""
    collect_due(at=at)
    reconcile(at=at)
    settle_refunds(at=at)


def work(at: datetime) -> None:
    """Do what is due at the real time `at`, on each connection by its own clock.

    The same verbs as Celery's tasks call, in the order in which a day brings them. Doing it again
    finds nothing more to do.
    """
    bill_due(at=at)
    collect(at)
    expire_overdue(at=at)
    remind_of_pending(at=at)
