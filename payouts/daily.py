"""What a day brings in matters of payouts, in its order: for the moved clock of the demo."""

from datetime import datetime

from .affiliates.closing import pay_affiliates
from .affiliates.freezing import freeze_referrals
from .closing import close_weeks
from .harvest import collect_earnings
from .sending import send_transfers


def work(at: datetime) -> None:
    """Do what is due at real time `at`, on each connection by its own clock.

    The same verbs as Celery's tasks call. Doing it again finds nothing more to do.
    """
    freeze_referrals(at=at)
    collect_earnings()
    close_weeks(at=at)
    pay_affiliates(at=at)
    send_transfers(at=at)
