"""What the workers of the product do, all of it at once: for the seed and for the moved clock."""

from datetime import datetime

from billing import daily
from billing.deadlines import expire_overdue, remind_of_pending
from payouts import daily as payouts


def work(at: datetime) -> None:
    """Do what is due at the real time `at`, on each connection by its own clock.

    The same verbs as Celery's tasks call, in the order in which a day brings them. Doing it again
    finds nothing more to do.
    """
    daily.work(at)
    payouts.work(at)
    expire_overdue(at=at)
    remind_of_pending(at=at)
