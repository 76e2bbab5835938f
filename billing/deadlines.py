"""Requests whose time comes: reminded of shortly before, closed when it is over."""

from datetime import datetime

from connections.clocks import own_time

from .models import BillingRequest


def expire_overdue(*, at: datetime) -> int:
    """Close the requests whose time is over at the real time `at`. Returns how many."""
    overdue = BillingRequest.objects.overdue(own_time("connection", at))
    return sum(
        request.expire(at=request.connection.own_time(at))
        for request in overdue.select_related("connection")
    )


def remind_of_pending(*, at: datetime) -> int:
    """Remind customers of what expires soon after the real time `at`. Returns how many."""
    expiring = BillingRequest.objects.to_remind(own_time("connection", at))
    return sum(
        request.remind(at=request.connection.own_time(at))
        for request in expiring.select_related("connection")
    )
