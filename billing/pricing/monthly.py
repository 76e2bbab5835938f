"""What a month comes to, where prices by the month and by the year stand side by side."""

from .allocation import allocate

MONTHS = 12


def a_month_of(monthly: int, yearly: int) -> int:
    """A month of prices by the month and of prices by the year, in minor units.

    A year is divided as everything is that is not days, by `allocate`: this is its first month.
    """
    return monthly + allocate(yearly, [1] * MONTHS)[0]
