"""When a payment that failed is tried again."""

from datetime import date, timedelta

# After the day of the first failure; nobody is asked again after the last.
RETRY_DAYS = (1, 3, 5, 7)


def next_attempt(first_failed: date, attempts: int) -> date | None:
    """The day of the next attempt after `attempts` have failed, None after the last one.

    All are counted from the day of the first failure, so that a late retry moves no other.
    """
    if attempts < 1:
        raise ValueError("nothing has failed yet")
    if attempts > len(RETRY_DAYS):
        return None
    return first_failed + timedelta(RETRY_DAYS[attempts - 1])
